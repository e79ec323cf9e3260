import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { EngineError, ShapeError } from '../../errors.ts';
import { EdgeError } from './error-response.ts';

const BODY_TIMEOUT_MS = 60_000;

/** A body to be read: the stream it comes on, and its length where that is not the stream's end. */
export interface BodySource {
  readonly stream: Readable;
  readonly headers: IncomingHttpHeaders;
  /** Undefined where the stream ends with the body. */
  readonly length: number | undefined;
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

/** Collects chunks until the length or the end is reached; what was read beyond the length is put back. */
function collect({ stream, length, maxBytes }: BodySource): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
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
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      size += chunk.length;
      if (length === undefined && size > maxBytes) fail(tooLarge(maxBytes));
      else if (length !== undefined && size >= length)
        settle(() => {
          const all = Buffer.concat(chunks);
          if (size > length) stream.unshift(all.subarray(length));
          resolve(all.subarray(0, length));
        });
    };
    const onEnd = (): void => {
      if (length !== undefined) fail(new ShapeError('unexpected EOF'));
      else
        settle(() => {
          resolve(Buffer.concat(chunks));
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
