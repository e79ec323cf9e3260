import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';

import { EngineError } from '../errors.ts';
import { isErrno, toEngineError } from './errors.ts';
import type { Companion, HostProcesses, ProcessIdentity, ProcessResult, RunOptions } from './types.ts';

const defaultTimeoutMs = 60_000;
const defaultMaxOutputBytes = 1 << 20;
/** Where programs are looked for. */
export const PROGRAM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** All that a host program finds in its environment. */
export const PROGRAM_ENVIRONMENT = {
  PATH: PROGRAM_PATH,
  LC_ALL: 'C',
};

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Host programs as child processes of ours. */
export function createHostProcesses(): HostProcesses {
  return {
    run,
    runInNetns: (netnsPath, argv, options) => run(['nsenter', `--net=${netnsPath}`, '--', ...argv], options),
    startDetached,
    startCompanion,
    identify,
    isAlive,
    async kill(target, signal) {
      if (!(await isAlive(target))) return false;
      try {
        return process.kill(target.pid, signal);
      } catch (error) {
        if (isErrno(error, 'ESRCH')) return false;
        throw toEngineError(error, `cannot signal process ${target.pid}`);
      }
    },
  };
}

async function run(argv: readonly string[], options: RunOptions = {}): Promise<ProcessResult> {
  const [program, ...args] = argv;
  if (program === undefined) throw new EngineError('Internal', 'no program to run');
  if (options.signal?.aborted === true)
    throw new EngineError('Cancelled', `${program} was not started: cancelled`);
  const child = spawn(program, args, {
    env: { ...(options.env ?? PROGRAM_ENVIRONMENT) },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  return supervise(child, program, options);
}

// The first failure wins, kills the program, and is thrown once its streams have closed: nothing runs on unseen.
async function supervise(child: Child, program: string, options: RunOptions): Promise<ProcessResult> {
  const ended = exitCode(child, program);
  // Where not even descriptors are left there are no streams to speak of.
  if (child.pid === undefined) return { code: await ended, stdout: '', stderr: '' };
  let failure: EngineError | undefined;
  const fail = (error: EngineError): void => {
    failure ??= error;
    child.kill('SIGKILL');
  };
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const timer = setTimeout(() => {
    fail(new EngineError('Unavailable', `${program} took longer than ${timeoutMs} ms`));
  }, timeoutMs);
  const cancel = (): void => fail(new EngineError('Cancelled', `${program} was cancelled`));
  options.signal?.addEventListener('abort', cancel, { once: true });
  const maxBytes = options.maxOutputBytes ?? defaultMaxOutputBytes;
  const tooMuch = (): void =>
    fail(new EngineError('Internal', `${program} wrote more than ${maxBytes} bytes`));
  const stdout = collect(child.stdout, maxBytes, tooMuch);
  const stderr = collect(child.stderr, maxBytes, tooMuch);
  // A program may end without reading its input; its exit code tells what that means.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.stdin);
  try {
    const code = await ended;
    if (failure) throw failure;
    return { code, stdout: stdout(), stderr: stderr() };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', cancel);
  }
}

function exitCode(child: Child, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new EngineError('Unavailable', `cannot run ${program}`, { cause: error }));
    });
    child.once('close', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

function collect(stream: Readable, maxBytes: number, tooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) tooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

async function startDetached(argv: readonly string[]): Promise<ProcessIdentity> {
  const [program, ...args] = argv;
  if (program === undefined) throw new EngineError('Internal', 'no program to run');
  const child = spawn(program, args, { env: PROGRAM_ENVIRONMENT, stdio: 'ignore', detached: true, cwd: '/' });
  const pid = await new Promise<number | undefined>((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid));
    child.once('error', (error) => {
      reject(new EngineError('Unavailable', `cannot run ${program}`, { cause: error }));
    });
  });
  child.unref();
  const identity = pid === undefined ? undefined : await identify(pid);
  if (!identity) throw new EngineError('Unavailable', `${program} ended at once`);
  return identity;
}

async function startCompanion(argv: readonly string[]): Promise<Companion> {
  const [program, ...args] = argv;
  if (program === undefined) throw new EngineError('Internal', 'no program to run');
  const child = spawn(program, args, {
    env: PROGRAM_ENVIRONMENT,
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
  });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(new EngineError('Unavailable', `cannot run ${program}`, { cause: error }));
    });
  });
  // It may end at any moment; whoever reads its answer finds out.
  child.stdin.on('error', () => undefined);
  child.stdout.on('error', () => undefined);
  child.unref();
  for (const stream of [child.stdin, child.stdout]) if (stream instanceof Socket) stream.unref();
  const { pid } = child;
  if (pid === undefined) throw new EngineError('Unavailable', `cannot run ${program}`);
  return { pid, input: child.stdin, output: child.stdout, gone, kill: () => void child.kill('SIGKILL') };
}

async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw toEngineError(error, `cannot look at process ${pid}`);
  }
  // The second field is the program's name, which may hold blanks and parentheses: count from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (state === undefined || startTime === undefined || 'ZX'.includes(state)) return undefined;
  return { pid, startTime };
}

async function isAlive(process: ProcessIdentity): Promise<boolean> {
  return (await identify(process.pid))?.startTime === process.startTime;
}
