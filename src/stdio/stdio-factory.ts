import { closeSync, constants, openSync, statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { EngineError } from '../errors.ts';
import { isErrno, toEngineError } from '../host/errors.ts';
import type { HostProcesses, Libc } from '../host/types.ts';
import { createCleanupStack } from '../lib/cleanup-stack.ts';
import { createClock } from './clock.ts';
import { createInput, type Input } from './input.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import { createProcessIo } from './process-io.ts';
import { createSinkHub } from './sink-hub.ts';
import type { ProcessIo, StdioFactory, StdioOptions, StreamName } from './types.ts';

const pipeBytes = 1 << 20;
const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** What the streams of a job are made with. */
export interface StdioFactoryOptions {
  /** Holds one directory of FIFOs per id, and the keeper's files; made when missing, mode 0700. */
  readonly directory: string;
  readonly libc: Libc;
  readonly processes: HostProcesses;
  /** Hears of sinks that failed and of a keeper that cannot run. */
  readonly onError: (name: string, error: unknown) => void;
}

interface Fifos {
  readonly directory: string;
  readonly paths: ProcessIo['paths'];
  readonly outputs: readonly { readonly stream: StreamName; readonly path: string }[];
}

/** Makes a job's standard streams out of FIFOs. */
export function createStdioFactory(options: StdioFactoryOptions): StdioFactory {
  const { directory, libc, onError } = options;
  const keeper = createKeeper(options);
  const now = createClock();

  const openAll = (wanted: StdioOptions, fifos: Fifos, isNew: boolean): ProcessIo => {
    // The undo of a half-made set; once it is whole, the ProcessIo owns all.
    const cleanup = createCleanupStack(onError);
    const open = (path: string, flags: number): number => {
      const fd = openSync(path, flags | O_NONBLOCK);
      cleanup.defer('fifo', () => closeSync(fd));
      growPipe(libc, fd);
      return fd;
    };
    try {
      const outputs = fifos.outputs.map(({ stream, path }) => ({ stream, fd: open(path, O_RDONLY) }));
      // Adopted FIFOs need it too: the kernel reports an end of output only to a reader that has seen a writer.
      const keepAliveFds = fifos.outputs.map(({ path }) => open(path, O_WRONLY));
      const input = wanted.stdin ? openInput(fifos.paths.stdin, isNew, open) : createInput(noInput);
      cleanup.commit();
      const remove = (): Promise<void> => removeFifos(keeper, wanted, fifos.directory);
      return createProcessIo({
        paths: fifos.paths,
        hub: createSinkHub({ now, onError }),
        outputs,
        keepAliveFds,
        input,
        remove,
      });
    } catch (error) {
      void cleanup.dispose();
      throw toEngineError(error, `cannot open the standard streams of ${wanted.id}`);
    }
  };
  const hold = (wanted: StdioOptions, fifos: Fifos): void => {
    if (wanted.keep === true)
      void keeper.hold(
        wanted.id,
        fifos.outputs.map(({ stream }) => stream),
      );
  };
  return {
    async open(wanted) {
      const fifos = nameFifos(directory, wanted);
      await makeFifos(libc, directory, fifos);
      const io = openAll(wanted, fifos, true);
      hold(wanted, fifos);
      return io;
    },
    async adopt(wanted) {
      const fifos = nameFifos(directory, wanted);
      const io = await Promise.resolve(openAll(wanted, fifos, false));
      hold(wanted, fifos);
      return io;
    },
    stopKeeper: () => keeper.stop(),
  };
}

const noInput = { fd: undefined, guardFd: undefined } as const;

function nameFifos(parent: string, { id, stdin, terminal }: StdioOptions): Fifos {
  if (!/^[0-9A-Za-z][0-9A-Za-z_.-]*$/.test(id))
    throw new EngineError('Internal', `invalid id for streams: ${id}`);
  const directory = join(parent, id);
  const path = (name: string): string => join(directory, name);
  // A shim given an empty stderr without a terminal fails, so both are made whoever listens.
  const streams: readonly StreamName[] = terminal ? ['stdout'] : ['stdout', 'stderr'];
  return {
    directory,
    paths: {
      stdin: stdin ? path('stdin') : '',
      stdout: path('stdout'),
      stderr: terminal ? '' : path('stderr'),
    },
    outputs: streams.map((stream) => ({ stream, path: path(stream) })),
  };
}

async function makeFifos(libc: Libc, parent: string, { directory, paths }: Fifos): Promise<void> {
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    throw toEngineError(error, 'cannot make the directory of the standard streams');
  }
  try {
    for (const path of [paths.stdin, paths.stdout, paths.stderr]) if (path !== '') libc.mkfifo(path, 0o600);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw toEngineError(error, 'cannot make the standard streams');
  }
}

// A write end can only be opened without waiting while somebody reads: a read end of ours, until the shim has its own.
function openInput(path: string, isNew: boolean, open: (path: string, flags: number) => number): Input {
  if (isNew) {
    const guardFd = open(path, O_RDONLY);
    return createInput({ guardFd, fd: open(path, O_WRONLY) });
  }
  if (!statSync(path).isFIFO()) throw new EngineError('Internal', 'stdin is not a FIFO');
  try {
    return createInput({ guardFd: undefined, fd: open(path, O_WRONLY) });
  } catch (error) {
    if (isErrno(error, 'ENXIO')) return createInput(noInput);
    throw error;
  }
}

// More room means fewer switches between writer and reader; the kernel may refuse it to a user with many pipes.
function growPipe(libc: Libc, fd: number): void {
  try {
    libc.setPipeSize(fd, pipeBytes);
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'EBUSY')) throw error;
  }
}

async function removeFifos(keeper: Keeper, wanted: StdioOptions, directory: string): Promise<void> {
  if (wanted.keep === true) keeper.drop(wanted.id);
  await rm(directory, { recursive: true, force: true });
}
