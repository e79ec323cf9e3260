import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { EngineError, ShapeError } from '../../errors.ts';
import { createChunkedBody } from './chunked-body.ts';
import { EdgeError } from './error-response.ts';

const BODY_TIMEOUT_MS = 60_000;

/** A body to be read: the stream it comes on, and its length where that is not the stream's end. */
export interface BodySource {
  readonly stream: Readable;
  readonly headers: IncomingHttpHeaders;
  /** Undefined where the stream ends with the body; `chunked` where the body is as it came, in chunks. */
  readonly length: number | 'chunked' | undefined;
  /** More is refused with 413. */
  readonly maxBytes: number;
}

function checkEncoding(headers: IncomingHttpHeaders): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new EdgeError(
      415,
      `Content-Encoding ${JSON.stringify(encoding)} is not supported: send the body as it is`,
    );
}

function checkType(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'] ?? '';
  const [mediaType = ''] = type.split(';');
  if (mediaType.trim().toLowerCase() !== 'application/json')
    throw new ShapeError(`unsupported Content-Type header (${type}): must be 'application/json'`);
}

function tooLarge(maxBytes: number): EdgeError {
  return new EdgeError(413, `request body is larger than ${maxBytes} bytes`);
}

/** Where a body ends, as far as it has come. */
interface Taking {
  /** What is behind the body once it is whole; undefined before. */
  push(bytes: Buffer): Buffer | undefined;
  /** The body, whole. */
  bytes(): Buffer;
}

function takeLength(length: number): Taking {
  const chunks: Buffer[] = [];
  let missing = length;
  return {
    push(bytes) {
      chunks.push(bytes.subarray(0, missing));
      const rest = bytes.subarray(missing);
      missing -= Math.min(missing, bytes.length);
      return missing === 0 ? rest : undefined;
    },
    bytes: () => Buffer.concat(chunks),
  };
}

/** Of a body without a length; more than `maxBytes` is an error as soon as it is there. */
function takeAll(maxBytes: number): Taking {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    push(bytes) {
      chunks.push(bytes);
      size += bytes.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      return undefined;
    },
    bytes: () => Buffer.concat(chunks),
  };
}

function takeChunked(maxBytes: number): Taking {
  const body = createChunkedBody();
  return {
    push(bytes) {
      const rest = body.push(bytes);
      if (body.size > maxBytes) throw tooLarge(maxBytes);
      return rest;
    },
    bytes: () => body.bytes,
  };
}

function takingOf({ length, maxBytes }: BodySource): Taking {
  if (length === 'chunked') return takeChunked(maxBytes);
  return length === undefined ? takeAll(maxBytes) : takeLength(length);
}

/** Collects what comes until the body's end, or the stream's, is reached; what was read beyond it is put back. */
function collect(source: BodySource): Promise<Buffer> {
  const { stream, length } = source;
  return new Promise((resolve, reject) => {
    const taking = takingOf(source);
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      stream.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      stream.pause();
      finish();
    };
    const fail = (error: Error): void => {
      settle(() => {
        reject(error);
      });
    };
    const onData = (bytes: Buffer): void => {
      let rest: Buffer | undefined;
      try {
        rest = taking.push(bytes);
      } catch (error) {
        fail(error as Error);
        return;
      }
      if (rest === undefined) return;
      const unread = rest;
      settle(() => {
        if (unread.length > 0) stream.unshift(unread);
        resolve(taking.bytes());
      });
    };
    const onEnd = (): void => {
      if (length !== undefined) fail(new ShapeError('unexpected EOF'));
      else
        settle(() => {
          resolve(taking.bytes());
        });
    };
    const onClose = (): void => {
      fail(new EngineError('Cancelled', 'the client has gone'));
    };
    const timer = setTimeout(() => {
      fail(new EdgeError(408, 'request body did not arrive in time'));
    }, BODY_TIMEOUT_MS);
    stream.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

/** Reads a body whole. */
export async function readBody(source: BodySource): Promise<Uint8Array> {
  if (Number(source.headers['content-length'] ?? 0) > source.maxBytes) throw tooLarge(source.maxBytes);
  return source.length === 0 ? Buffer.alloc(0) : await collect(source);
}

/** As `readBody`, of what says that it is JSON, without parsing it; the type of an empty one does not matter. */
export async function readJsonBody(source: BodySource): Promise<Uint8Array> {
  checkEncoding(source.headers);
  const bytes = await readBody(source);
  if (bytes.length > 0) checkType(source.headers);
  return bytes;
}
