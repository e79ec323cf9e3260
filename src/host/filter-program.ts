import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';

import { EngineError } from '../errors.ts';
import { isErrno } from './errors.ts';
import { PROGRAM_ENVIRONMENT } from './processes.ts';

/** Whose rights a filter runs with: what it reads comes from clients. */
const nobody = 65534;
const maxErrorBytes = 4096;

/**
 * What a host program writes while it is fed the source, both with back-pressure. It ends when the reader leaves.
 * InvalidArgument with the program's own words where it fails; Internal where the host does not have it.
 */
export async function* filterThrough(
  argv: readonly [string, ...string[]],
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const [program, ...args] = argv;
  const child = spawn(program, args, {
    env: PROGRAM_ENVIRONMENT,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}),
  });
  // Where not even descriptors are left it has no streams; the error comes later.
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as [unknown];
    throw describeFailure(program, error);
  }
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => {
      resolve(code ?? signal ?? 'unknown');
    });
  });
  let failure: unknown;
  // A program that stops reading says why by how it ends; a source that breaks off is the reason itself.
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      failure ??= error;
      child.kill('SIGKILL');
    }
  }
  child.once('error', (error) => {
    failure ??= error;
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(0, maxErrorBytes);
  });
  // Not waited for: a source that brings nothing more must not hold up the answer that the program has given.
  pipeline(watched(), child.stdin).catch(() => undefined);
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    const end = await ended;
    if (failure !== undefined) throw describeFailure(program, failure);
    if (end !== 0)
      throw new EngineError('InvalidArgument', `exit status ${end}: ${words.trim() || `${program} failed`}`);
  } finally {
    child.stdin.destroy();
    child.kill('SIGKILL');
    await ended;
  }
}

function describeFailure(program: string, failure: unknown): unknown {
  if (isErrno(failure, 'EMFILE', 'ENFILE', 'EAGAIN'))
    return new EngineError('Unavailable', `cannot run ${program}`, { cause: failure });
  if (!isErrno(failure, 'ENOENT')) return failure;
  return new EngineError(
    'Internal',
    `exec: "${program}": executable file not found: it has to be installed where berth runs`,
    { cause: failure },
  );
}
