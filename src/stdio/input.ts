import { closeSync } from 'node:fs';
import { Socket } from 'node:net';

import { EngineError } from '../errors.ts';

/** Our end of a process's stdin. */
export interface Input {
  /** As ProcessIo.writeStdin. */
  write(data: Uint8Array): Promise<void>;
  /** Closes after what is being written has been taken. */
  close(): Promise<void>;
  /** The process's side is open: from now on a process that is gone is noticed. */
  ready(): void;
  /** Closes at once; writes in progress reject. */
  destroy(): void;
}

/** Descriptors of a stdin FIFO; `guardFd` is a read end that keeps the pipe alive until the shim has its own. */
export interface InputOptions {
  readonly fd: number | undefined;
  readonly guardFd: number | undefined;
}

/** Takes over the descriptors; without a write end everything that is written is refused. */
export function createInput({ fd, guardFd }: InputOptions): Input {
  const socket = fd === undefined ? undefined : new Socket({ fd, readable: false, writable: true });
  let guard = guardFd;
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = fd === undefined;
  // A failed write rejects for its caller; the event says the same once more.
  socket?.on('error', () => {
    isClosed = true;
  });
  const ready = (): void => {
    if (guard !== undefined) closeSync(guard);
    guard = undefined;
  };
  return {
    async write(data) {
      if (isClosed || !socket) throw closedError();
      const written = new Promise<void>((resolve, reject) => {
        socket.write(data, (error) => {
          if (error) reject(closedError(error));
          else resolve();
        });
      });
      last = written.catch(() => undefined);
      await written;
    },
    async close() {
      isClosed = true;
      await last;
      // Not end(): a FIFO cannot be shut down, only closed.
      socket?.destroy();
    },
    ready,
    destroy() {
      isClosed = true;
      ready();
      socket?.destroy();
    },
  };
}

function closedError(cause?: unknown): EngineError {
  return new EngineError('Conflict', 'stdin of the process is closed', { cause });
}
