import { createDeferred } from '../lib/deferred.ts';
import { createLastingRace } from '../lib/lasting-race.ts';
import { EngineError } from '../errors.ts';
import { frameMessage, framePayload, MessageReader } from './blob-frames.ts';
import type { Caller } from './channel.ts';
import type { ByteGroup } from './group-bytes.ts';
import type { WriteContentRequestInput, WriteContentResponse } from './generated/content.ts';

// `data` of WriteContentRequest.
const DATA_FIELD = 6;

/** One Write call: its first message names the ref, and the ref stays locked until the call ends. */
export interface WriteSession {
  /** Asks for the state of the ref: the answer's offset is what containerd has. */
  negotiate(request: WriteContentRequestInput): Promise<WriteContentResponse>;
  /** Resolves when the message is on its way, so that a slow containerd slows the sender. */
  send(piece: { readonly ref: string; readonly offset: number; readonly bytes: ByteGroup }): Promise<void>;
  /** Sends the commit and waits for containerd's verdict. */
  commit(request: WriteContentRequestInput): Promise<WriteContentResponse>;
  /** Settles like the promise, or rejects as soon as the call fails. */
  race<T>(promise: Promise<T>): Promise<T>;
  /** Digest of all that containerd has confirmed so far. */
  lastDigest(): string;
  /** Ends the call; what was written stays for a later session. */
  close(): void;
}

/** Opens a Write call; aborting the signal makes whatever waits reject as Cancelled. */
export async function openWriteSession(
  caller: Caller<'content'>,
  signal?: AbortSignal,
): Promise<WriteSession> {
  const { call, codec } = await caller.openBlobCall('Write');
  const negotiated = createDeferred<WriteContentResponse>();
  const committed = createDeferred<WriteContentResponse>();
  const { run: race, lose } = createLastingRace();
  let digest = '';
  const fail = (error: EngineError): void => {
    negotiated.reject(error);
    committed.reject(error);
    lose(error);
  };
  const onAnswer = (response: WriteContentResponse): void => {
    if (response.digest !== '') digest = response.digest;
    if (response.action === 'STAT') negotiated.resolve(response);
    if (response.action === 'COMMIT') committed.resolve(response);
  };
  const answers = new MessageReader();
  call.frames.on('data', (chunk: Buffer) => {
    for (const message of answers.push(chunk)) onAnswer(codec.decode(message));
  });
  call.ended.then(
    () => fail(new EngineError('Internal', 'containerd ended the write before its commit')),
    (error: unknown) => fail(caller.toError(error)),
  );
  const onAbort = (): void => call.cancel();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  const ask = (request: WriteContentRequestInput): Promise<void> =>
    race(call.write([frameMessage(codec.encode(request))]));
  return {
    race,
    async send({ ref, offset, bytes }) {
      const fields = codec.encode({ action: 'WRITE', ref, offset });
      await race(call.write([framePayload(fields, DATA_FIELD, bytes.length), ...bytes.parts]));
    },
    async negotiate(request) {
      await ask({ ...request, action: 'STAT' });
      return negotiated.promise;
    },
    async commit(request) {
      await ask({ ...request, action: 'COMMIT' });
      const answer = await committed.promise;
      call.frames.end();
      return answer;
    },
    lastDigest: () => digest,
    close() {
      signal?.removeEventListener('abort', onAbort);
      call.cancel();
    },
  };
}
