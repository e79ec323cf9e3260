import { constants, openSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';

import type { Any, ExitStatus, ProcessIo, TaskStatus } from '../../src/containerd/types.ts';
import { createAsyncQueue } from '../../src/lib/async-queue.ts';
import { createDeferred, type Deferred } from '../../src/lib/deferred.ts';

/** What a scripted program sees of its process. */
export interface FakeProcess {
  readonly containerId: string;
  readonly execId: string | undefined;
  /** The command line of the OCI process. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly terminal: boolean;
  /** Writes to the FIFO that the engine gave; nothing where it gave none. */
  stdout(text: string | Uint8Array): Promise<void>;
  stderr(text: string | Uint8Array): Promise<void>;
  /** The stdin FIFO, if there is one. */
  readonly stdin: Readable | undefined;
  /** Signals in the order of arrival; SIGKILL is not among them: it ends the process. */
  readonly signals: AsyncIterable<number>;
}

/** Decides what a started process does; resolves to its exit status. */
export type FakeProgram = (process: FakeProcess) => Promise<number>;

/** Runs until the first signal. */
export const runUntilSignal: FakeProgram = async ({ signals }) => {
  for await (const signal of signals) return 128 + signal;
  return 0;
};

/** A process of the fake, started or not. */
export interface FakeTaskProcess {
  readonly io: ProcessIo;
  readonly spec: Any;
  readonly pid: number;
  status: TaskStatus;
  exit: ExitStatus;
  readonly ended: Deferred<ExitStatus>;
  readonly signals: ReturnType<typeof createAsyncQueue<number>>;
  readonly killed: Deferred<number>;
  size: { readonly width: number; readonly height: number } | undefined;
  /** Our ends of the FIFOs: open from a task's creation or an exec's start to the end, as a shim has them. */
  streams: FakeStreams | undefined;
}

/** Our ends of a process's FIFOs. */
export interface FakeStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: FileHandle | undefined;
  readonly stderr: FileHandle | undefined;
}

/** A task and its execs. */
export interface FakeTask extends FakeTaskProcess {
  readonly execs: Map<string, FakeTaskProcess>;
}

/** A process that waits for its start. */
export function createFakeProcess(io: ProcessIo, spec: Any, pid: number): FakeTaskProcess {
  return {
    io,
    spec,
    pid,
    status: 'created',
    exit: { exitStatus: 0, exitedAt: undefined },
    ended: createDeferred(),
    signals: createAsyncQueue(64),
    killed: createDeferred(),
    size: undefined,
    streams: undefined,
  };
}

async function openOutput(path: string): Promise<FileHandle | undefined> {
  // O_RDWR: opening a FIFO must not wait for the engine's end.
  return path === '' || path === '/dev/null' ? undefined : open(path, constants.O_RDWR);
}

function openInput(path: string): Socket | undefined {
  if (path === '' || path === '/dev/null') return undefined;
  // A bare descriptor, not a FileHandle: the socket alone owns and closes it.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('error', () => undefined);
  return socket;
}

interface OciProcess {
  readonly args?: readonly string[];
  readonly env?: readonly string[];
}

function parseProcess(spec: Any): OciProcess {
  if (spec.value.length === 0) return {};
  const parsed = JSON.parse(Buffer.from(spec.value).toString()) as OciProcess & {
    readonly process?: OciProcess;
  };
  return parsed.process ?? parsed;
}

/** Opens the FIFOs unless they are open. */
export async function openFakeStreams(process: FakeTaskProcess): Promise<FakeStreams> {
  const { io } = process;
  process.streams ??= {
    stdout: await openOutput(io.stdout),
    stderr: await openOutput(io.stderr),
    stdin: openInput(io.stdin),
  };
  return process.streams;
}

/** Closes what is open of the FIFOs. */
export async function closeFakeStreams(process: FakeTaskProcess): Promise<void> {
  const { streams } = process;
  process.streams = undefined;
  streams?.stdin?.destroy();
  await streams?.stdout?.close();
  await streams?.stderr?.close();
}

/** Runs the program on the process's FIFOs; closes them before it answers, as a process that ends does. */
export async function runFakeProcess(
  process: FakeTaskProcess,
  names: { readonly containerId: string; readonly execId: string | undefined },
  program: FakeProgram,
): Promise<number> {
  const { io, spec, signals, killed } = process;
  const { args = [], env = [] } = parseProcess(spec);
  const { stdin, stdout, stderr } = await openFakeStreams(process);
  const print = async (file: FileHandle | undefined, text: string | Uint8Array): Promise<void> => {
    if (!killed.isSettled) await file?.writeFile(text);
  };
  try {
    const ending = program({
      ...names,
      args,
      env,
      terminal: io.terminal,
      stdin,
      signals,
      stdout: (text) => print(stdout, text),
      stderr: (text) => print(stderr, text),
    });
    return await Promise.race([ending, killed.promise]);
  } finally {
    signals.end();
    await closeFakeStreams(process);
  }
}
