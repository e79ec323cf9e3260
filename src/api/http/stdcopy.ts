const HEADER_BYTES = 8;
const NEWLINE = 10;
const STREAM_NUMBERS = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** Puts a header before each line of output, as dockerd sends a log: clients take a frame for a line. */
export type LineFramer = (stream: keyof typeof STREAM_NUMBERS, data: Buffer) => Buffer;

/** Makes one; its answers are only valid until the next, as new room for each kept the collector busy. */
export function createLineFramer(): LineFramer {
  let room = Buffer.alloc(0);
  let ends: Uint32Array = new Uint32Array(64);
  const markEnds = (data: Buffer): number => {
    let lines = 0;
    let at = 0;
    do {
      const newline = data.indexOf(NEWLINE, at);
      at = newline === -1 ? data.length : newline + 1;
      if (lines === ends.length) ends = copyInto(new Uint32Array(2 * lines), ends);
      ends[lines] = at;
      lines += 1;
    } while (at < data.length);
    return lines;
  };
  return (stream, data) => {
    const lines = markEnds(data);
    const framedBytes = data.length + lines * HEADER_BYTES;
    if (room.length < framedBytes) room = Buffer.allocUnsafeSlow(framedBytes);
    return frameLines(room.subarray(0, framedBytes), stream, { data, ends: ends.subarray(0, lines) });
  };
}

function copyInto(target: Uint32Array, source: Uint32Array): Uint32Array {
  target.set(source);
  return target;
}

function frameLines(
  framed: Buffer,
  stream: keyof typeof STREAM_NUMBERS,
  { data, ends }: { readonly data: Buffer; readonly ends: Uint32Array },
): Buffer {
  let from = 0;
  let at = 0;
  for (const end of ends) {
    framed.writeUInt32BE(STREAM_NUMBERS[stream] << 24, at);
    framed.writeUInt32BE(end - from, at + 4);
    data.copy(framed, at + HEADER_BYTES, from, end);
    at += HEADER_BYTES + end - from;
    from = end;
  }
  return framed;
}

/** The eight bytes before a piece of output where stdout and stderr share a connection: the stream, and the length. */
export function stdcopyHeader(stream: keyof typeof STREAM_NUMBERS, length: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = STREAM_NUMBERS[stream];
  header.writeUInt32BE(length, 4);
  return header;
}
