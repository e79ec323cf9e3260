const HEADER_BYTES = 8;
const NEWLINE = 10;
const STREAM_NUMBERS = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** Puts a header before each line of output, as dockerd sends a log: clients take a frame for a line. */
export type LineFramer = (stream: keyof typeof STREAM_NUMBERS, data: Buffer) => Buffer;

/** Makes one; its answers are only valid until the next, as a new buffer for each kept the collector busy. */
export function createLineFramer(): LineFramer {
  let room = Buffer.alloc(0);
  return (stream, data) => {
    const ends = lineEnds(data);
    const framedBytes = data.length + ends.length * HEADER_BYTES;
    if (room.length < framedBytes) room = Buffer.allocUnsafeSlow(framedBytes);
    return frameLines(room.subarray(0, framedBytes), stream, { data, ends });
  };
}

function lineEnds(data: Buffer): readonly number[] {
  const ends: number[] = [];
  for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE, end + 1)) ends.push(end + 1);
  if (ends.at(-1) !== data.length) ends.push(data.length);
  return ends;
}

function frameLines(
  framed: Buffer,
  stream: keyof typeof STREAM_NUMBERS,
  { data, ends }: { readonly data: Buffer; readonly ends: readonly number[] },
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
