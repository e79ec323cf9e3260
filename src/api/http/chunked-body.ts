import { ShapeError } from '../../errors.ts';

/** A body that is being taken out of its chunks. */
export interface ChunkedBody {
  /** Takes what came; answers what is behind the body once its end has come, which is all that may follow. */
  push(bytes: Buffer): Buffer | undefined;
  /** Bytes of the body so far. */
  readonly size: number;
  /** The body so far. */
  readonly bytes: Buffer;
}

const CRLF = '\r\n';
/** A size in hexadecimal, and the end of its line. */
const MAX_LINE = 8 + CRLF.length;
const FIRST_ROOM = 4096;

/**
 * Takes chunks apart where Node's parser, which would take what follows for the next request, must not see them. InvalidArgument
 * for what is no chunk; extensions and trailers, which no client of Docker sends, are none.
 */
export function createChunkedBody(): ChunkedBody {
  let room = Buffer.allocUnsafe(FIRST_ROOM);
  let size = 0;
  let line = '';
  let expects: 'size' | 'data' | 'end of data' | 'end' = 'size';
  let missing = 0;
  const keep = (bytes: Buffer): void => {
    // Chunks may be of one byte each: as many buffers would take a hundred times their room.
    if (size + bytes.length > room.length)
      room = Buffer.concat([room.subarray(0, size)], 2 * (size + bytes.length));
    bytes.copy(room, size);
    size += bytes.length;
  };
  const endLine = (): boolean => {
    const text = line.slice(0, -CRLF.length);
    line = '';
    if (expects === 'size') {
      if (!/^[0-9a-f]{1,8}$/i.test(text)) throw malformed();
      missing = Number.parseInt(text, 16);
      expects = missing === 0 ? 'end' : 'data';
      return false;
    }
    if (text !== '') throw malformed();
    if (expects === 'end') return true;
    expects = 'size';
    return false;
  };
  return {
    get size() {
      return size;
    },
    get bytes() {
      return room.subarray(0, size);
    },
    push(bytes) {
      for (let at = 0; at < bytes.length;) {
        if (expects === 'data') {
          const data = bytes.subarray(at, at + missing);
          keep(data);
          at += data.length;
          missing -= data.length;
          if (missing === 0) expects = 'end of data';
          continue;
        }
        line += bytes.toString('latin1', at, at + 1);
        at += 1;
        if (line.endsWith(CRLF)) {
          if (endLine()) return bytes.subarray(at);
        } else if (line.endsWith('\n') || line.length >= MAX_LINE) throw malformed();
      }
      return undefined;
    },
  };
}

function malformed(): ShapeError {
  return new ShapeError('malformed chunked encoding');
}
