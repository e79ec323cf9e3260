import { closeSync, readSync } from 'node:fs';
import { Socket } from 'node:net';

import { isErrno } from '../host/errors.ts';
import { createDeferred } from '../lib/deferred.ts';

const bufferBytes = 64 * 1024;
/** What a cut still takes: as much as the pipe can hold. */
const maxRestBytes = 1 << 20;

/** Reads one FIFO to its end, no faster than the output is taken. */
export interface OutputPump {
  /** Resolves when the last byte was taken, or reading was given up. */
  readonly ended: Promise<void>;
  /** Begins to read; later calls do nothing. */
  start(): void;
  /** Takes what is in the pipe now, and ends. */
  cut(): Promise<void>;
  /** Ends at once. */
  stop(): void;
}

/** Where a pump reads, and who takes the bytes: they are only valid until the promise resolves. */
export interface OutputPumpOptions {
  /** A FIFO's non-blocking read end; the pump closes it. */
  readonly fd: number;
  readonly deliver: (data: Buffer) => Promise<void> | undefined;
}

/** Makes a pump that waits for `start`. */
export function createOutputPump({ fd, deliver }: OutputPumpOptions): OutputPump {
  const buffer = Buffer.allocUnsafeSlow(bufferBytes);
  const ended = createDeferred<undefined>();
  let socket: Socket | undefined;
  let isStopped = false;
  let isCut = false;
  let busy: Promise<void> | undefined;

  const take = (length: number, reader: Socket): boolean => {
    busy = deliver(buffer.subarray(0, length))?.then(() => {
      busy = undefined;
      if (!isCut && !isStopped) reader.resume();
    });
    return busy === undefined;
  };
  const takeRest = async (): Promise<void> => {
    for (let taken = 0; taken < maxRestBytes;) {
      // At the end of the output the descriptor is closed, and its number may be another file's.
      if (isStopped || socket?.destroyed === true) return;
      const length = readAvailable(fd, buffer);
      if (length === 0) return;
      taken += length;
      await deliver(buffer.subarray(0, length));
    }
  };
  const stop = (): void => {
    if (isStopped) return;
    isStopped = true;
    if (socket) socket.destroy();
    else closeSync(fd);
    ended.resolve(undefined);
  };
  return {
    ended: ended.promise,
    start() {
      if (socket || isStopped) return;
      // A buffer of our own is three times as fast as 'data' events, which allocate for each read.
      const onread = { buffer, callback: (length: number): boolean => take(length, reader) };
      const options = { fd, readable: true, writable: false, onread };
      const reader = new Socket(options);
      socket = reader;
      reader.on('error', () => undefined);
      reader.once('close', () => void (busy ?? Promise.resolve()).then(() => ended.resolve(undefined)));
      reader.resume();
    },
    async cut() {
      isCut = true;
      socket?.pause();
      await busy;
      await takeRest();
      stop();
    },
    stop,
  };
}

function readAvailable(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return 0;
    throw error;
  }
}
