import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
} from 'node:http2';
import { connect as connectSocket } from 'node:net';

import { createDeferred } from '../lib/deferred.ts';
import type { CallScope } from './channel.ts';

// gRPC's status codes.
const OK = 0;
const CANCELLED = 1;
const INTERNAL = 13;
const UNAVAILABLE = 14;

// What containerd may send ahead of whoever reads: one of its messages.
const STREAM_WINDOW_BYTES = 1024 * 1024;
const SESSION_WINDOW_BYTES = 16 * STREAM_WINDOW_BYTES;

/** A call that carries a blob in frames of gRPC, which its user makes and reads. */
export interface BlobCall {
  /** Frames from containerd; destroying it ends the call. */
  readonly frames: ClientHttp2Stream;
  /** Settles at the end of the call: rejects with the status where that is not OK. */
  readonly ended: Promise<void>;
  /** Resolves when the bytes, uncopied until then, are on their way: containerd's windows slow the sender. */
  write(parts: readonly Uint8Array[]): Promise<void>;
  cancel(): void;
}

/**
 * A connection of its own for the calls that carry blobs. The gRPC library copies each message three times and keeps
 * the copies until the next full collection: a third of the time of a pull and most of its memory.
 */
export interface BlobChannel {
  open(path: string, scope: CallScope): BlobCall;
  close(): void;
}

/** Prepares the connection to containerd's socket; it is made at the first call, and again when it broke. */
export function openBlobChannel(socketPath: string): BlobChannel {
  let session: ClientHttp2Session | undefined;
  const current = (): ClientHttp2Session => {
    if (session === undefined || session.closed || session.destroyed) session = openSession(socketPath);
    return session;
  };
  return {
    open: (path, scope) => openCall(current(), path, scope),
    close: () => session?.destroy(),
  };
}

function openSession(socketPath: string): ClientHttp2Session {
  const session = connectHttp2('http://localhost', {
    createConnection: () => connectSocket(socketPath),
    settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
  });
  session.once('connect', () => {
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
  });
  // Each call under way is told by its own stream.
  session.on('error', () => undefined);
  return session;
}

/** As the gRPC library throws it, so that one place knows what it means. */
class StatusError extends Error {
  readonly code: number;
  readonly details: string;

  constructor(code: number, details: string, options?: ErrorOptions) {
    super(`${code} ${details}`, options);
    this.code = code;
    this.details = details;
  }
}

function openCall(session: ClientHttp2Session, path: string, scope: CallScope): BlobCall {
  const frames = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'containerd-namespace': scope.namespace,
    ...(scope.leaseId === undefined ? {} : { 'containerd-lease': scope.leaseId }),
  });
  const ended = createDeferred<undefined>();
  const settle = (headers: Readonly<Record<string, unknown>>): void => {
    const status = headers['grpc-status'];
    if (typeof status !== 'string') return;
    if (Number(status) === OK) ended.resolve(undefined);
    else ended.reject(new StatusError(Number(status), decodeMessage(headers['grpc-message'])));
  };
  frames.on('response', settle);
  frames.on('trailers', settle);
  frames.on('error', (error: Error) => {
    ended.reject(
      frames.rstCode === constants.NGHTTP2_CANCEL ? closedCall(frames.rstCode) : brokenCall(error),
    );
  });
  frames.on('close', () => ended.reject(closedCall(frames.rstCode)));
  return {
    frames,
    ended: ended.promise,
    write: (parts) => writeParts({ frames, ended: ended.promise }, parts),
    cancel: () => {
      frames.close(constants.NGHTTP2_CANCEL);
    },
  };
}

function writeParts(
  { frames, ended }: Pick<BlobCall, 'frames' | 'ended'>,
  parts: readonly Uint8Array[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (frames.closed || frames.destroyed) {
      ended.then(() => reject(closedCall(undefined)), reject);
      return;
    }
    const onWritten = (error: Error | null | undefined): void => {
      // The status, which may be on its way yet, says why.
      if (error) ended.then(() => reject(closedCall(undefined)), reject);
      else resolve();
    };
    // Together they are one call of the kernel.
    frames.cork();
    for (const part of parts.slice(0, -1)) frames.write(part);
    frames.write(parts.at(-1) ?? Buffer.alloc(0), onWritten);
    frames.uncork();
  });
}

function brokenCall(error: Error): StatusError {
  return 'syscall' in error
    ? new StatusError(UNAVAILABLE, error.message, { cause: error })
    : new StatusError(INTERNAL, `http2: ${error.message}`, { cause: error });
}

function closedCall(rstCode: number | undefined): StatusError {
  if (rstCode === constants.NGHTTP2_CANCEL) return new StatusError(CANCELLED, 'Cancelled on client');
  return new StatusError(UNAVAILABLE, 'Connection dropped');
}

// gRPC percent-encodes what is not printable ASCII.
function decodeMessage(message: unknown): string {
  if (typeof message !== 'string') return '';
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
