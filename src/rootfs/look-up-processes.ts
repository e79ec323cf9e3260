import { once } from 'node:events';

import { EngineError, type ErrorKind } from '../errors.ts';
import type { Companion } from '../host/types.ts';
import { createDeferred } from '../lib/deferred.ts';
import { createLastingRace } from '../lib/lasting-race.ts';
import { createLimiter, type Limiter } from '../lib/limiter.ts';
import {
  createFrameReader,
  encodeDocument,
  encodeHead,
  type Frame,
  type FrameReader,
} from './look-up-frames.ts';
import type { LookUpAnswers, LookUpRequest } from './look-up-request.ts';

const defaultSilenceMs = 15_000;
const maxTransfers = 8;
const maxQuestions = 4;
const maxStuck = 16;
const maxIdle = 2;
const idleMs = 30_000;

type Verb = LookUpRequest['verb'];
type RequestOf<V extends Verb> = Extract<LookUpRequest, { readonly verb: V }>;

/** One request under way. */
export interface LookUp<V extends Verb> {
  /** Whose descriptors an answer names; they are held until `use` is done. */
  readonly pid: number;
  readonly answer: LookUpAnswers[V];
  /** What follows the answer; to be read to its end, or the process is not used again. */
  readonly data: () => AsyncGenerator<Buffer, void, undefined>;
}

/** How a look-up is asked for. */
export interface LookUpOptions {
  /** What is looked up, for the words of a failure. */
  readonly path: string;
  readonly signal?: AbortSignal;
  /** Follows the request. */
  readonly body?: AsyncIterable<Buffer>;
}

/**
 * Processes that look into files which may never answer. A thread that waits for such a file system is lost to this
 * process; another process is killed, or left behind where the kernel holds on to it. Unavailable when nothing is heard
 * for 15 s of a look-up that is not waiting for us, or when too many are left behind; Cancelled with the signal.
 */
export interface LookUpProcesses {
  run<V extends Verb, T>(
    request: RequestOf<V>,
    options: LookUpOptions,
    use: (lookUp: LookUp<V>) => Promise<T>,
  ): Promise<T>;
}

/** What the processes are made with. */
export interface LookUpProcessesOptions {
  /** Starts one that serves `serveLookUps` on its standard streams. */
  readonly start: () => Promise<Companion>;
  /** Default 15 s. */
  readonly silenceMs?: number;
}

/** Makes the processes; none is started before it is needed. */
export function createLookUpProcesses(options: LookUpProcessesOptions): LookUpProcesses {
  const pool: Pool = { ...options, idle: [], stuck: new Set() };
  const transfers = createLimiter(maxTransfers);
  const questions = createLimiter(maxQuestions);
  // Clients set the pace of transfers: no question is to wait for them.
  const limiterOf = (verb: Verb): Limiter =>
    verb === 'readArchive' || verb === 'writeArchive' ? transfers : questions;
  return {
    run: (request, lookUp, use) =>
      limiterOf(request.verb).run(async () => {
        const one = await take(pool);
        const exchange = openExchange(one, lookUp, options.silenceMs ?? defaultSilenceMs);
        try {
          const result = await converse(exchange, { request, body: lookUp.body }, use);
          putBack(pool, one);
          return result;
        } catch (error) {
          if (exchange.isOver) putBack(pool, one);
          else discard(pool, one);
          throw error;
        } finally {
          exchange.close();
        }
      }),
  };
}

interface LookUpProcess {
  readonly companion: Companion;
  readonly read: FrameReader;
}

interface Pool {
  readonly start: () => Promise<Companion>;
  readonly idle: { readonly one: LookUpProcess; readonly timer: NodeJS.Timeout }[];
  /** Killed, but held by the kernel. */
  readonly stuck: Set<LookUpProcess>;
}

async function take({ idle, stuck, start }: Pool): Promise<LookUpProcess> {
  const free = idle.pop();
  if (free) {
    clearTimeout(free.timer);
    return free.one;
  }
  if (stuck.size >= maxStuck)
    throw new EngineError('Unavailable', 'too many file systems of the job do not answer');
  const companion = await start();
  return { companion, read: createFrameReader(companion.output as AsyncIterable<Buffer>) };
}

function putBack(pool: Pool, one: LookUpProcess): void {
  if (pool.idle.length >= maxIdle) {
    discard(pool, one);
    return;
  }
  const timer = setTimeout(() => {
    pool.idle.splice(
      pool.idle.findIndex((entry) => entry.one === one),
      1,
    );
    discard(pool, one);
  }, idleMs);
  timer.unref();
  pool.idle.push({ one, timer });
}

function discard({ stuck }: Pool, one: LookUpProcess): void {
  stuck.add(one);
  void one.companion.gone.then(() => stuck.delete(one));
  one.companion.kill();
  one.companion.input.destroy();
  one.companion.output.destroy();
}

interface Exchange {
  readonly pid: number;
  /** The next frame, however long it takes. */
  readonly read: () => Promise<Frame>;
  /** Waits for something that is the process's turn to do. */
  readonly inTime: <T>(waited: Promise<T>) => Promise<T>;
  /** Waits until there is room for more, in time. */
  readonly write: (bytes: Buffer) => Promise<void>;
  /** True when the process waits for the next request. */
  isOver: boolean;
  close(): void;
}

function openExchange({ companion, read }: LookUpProcess, look: LookUpOptions, silenceMs: number): Exchange {
  const closed = new AbortController();
  const inTime = <T>(waited: Promise<T>): Promise<T> => waitInTime(waited, look, silenceMs);
  return {
    pid: companion.pid,
    isOver: false,
    inTime,
    read: async () => {
      const frame = await read();
      if (!frame) throw new EngineError('Unavailable', 'the look-up process has ended');
      return frame;
    },
    write: async (bytes) => {
      if (!companion.input.write(bytes))
        await inTime(once(companion.input, 'drain', { signal: closed.signal }));
    },
    close: () => {
      closed.abort();
    },
  };
}

async function waitInTime<T>(
  waited: Promise<T>,
  { path, signal }: LookUpOptions,
  silenceMs: number,
): Promise<T> {
  const interrupted = createDeferred<never>();
  const cancel = (): void => interrupted.reject(new EngineError('Cancelled', 'the look-up was cancelled'));
  const timer = setTimeout(() => {
    interrupted.reject(new EngineError('Unavailable', `file system does not answer: ${path}`));
  }, silenceMs);
  if (signal?.aborted === true) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await Promise.race([waited, interrupted.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

const end = encodeHead('end', 0);
const HELD: ReadonlySet<Verb> = new Set(['pin', 'pinWithin', 'view']);

async function converse<V extends Verb, T>(
  exchange: Exchange,
  { request, body }: { readonly request: RequestOf<V>; readonly body: LookUpOptions['body'] },
  use: (lookUp: LookUp<V>) => Promise<T>,
): Promise<T> {
  // What is held for us is given up with the end of the request.
  const isHeld = HELD.has(request.verb);
  await exchange.write(encodeDocument('request', request));
  if (!body && !isHeld) await exchange.write(end);
  const answer = body ? await upload(exchange, body) : await exchange.inTime(exchange.read());
  if (answer.kind === 'failure') {
    if (isHeld) await exchange.write(end);
    // A body that was not read to its end is still on its way.
    exchange.isOver = !body;
    throw failureOf(answer);
  }
  const result = await use({
    pid: exchange.pid,
    answer: JSON.parse(answer.bytes.toString('utf8')) as LookUpAnswers[V],
    data: () => dataOf(exchange),
  });
  if (isHeld) await exchange.write(end);
  if (!exchange.isOver && (await exchange.inTime(exchange.read())).kind !== 'end')
    throw new EngineError('Cancelled', 'a look-up was not read to its end');
  return result;
}

/** Sends the body until it ends or the answer is there, and answers that. */
async function upload(exchange: Exchange, body: AsyncIterable<Buffer>): Promise<Frame> {
  const early = createDeferred<Frame>();
  const race = createLastingRace<Frame>();
  const answered = exchange.read();
  answered.then(
    (frame) => {
      early.resolve(frame);
      race.win(frame);
    },
    (error: unknown) => {
      early.reject(error);
      race.lose(error);
    },
  );
  for await (const chunk of body) {
    if (chunk.length > 0)
      await race.run(exchange.write(Buffer.concat([encodeHead('data', chunk.length), chunk])));
    if (early.isSettled) return early.promise;
  }
  await exchange.write(end);
  return exchange.inTime(answered);
}

async function* dataOf(exchange: Exchange): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    const frame = await exchange.inTime(exchange.read());
    if (frame.kind === 'data') {
      yield frame.bytes;
      continue;
    }
    exchange.isOver = true;
    if (frame.kind === 'failure') throw failureOf(frame);
    return;
  }
}

function failureOf({ bytes }: Frame): EngineError {
  const { kind, message } = JSON.parse(bytes.toString('utf8')) as {
    readonly kind: ErrorKind;
    readonly message: string;
  };
  return new EngineError(kind, message);
}
