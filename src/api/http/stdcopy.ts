const STREAM_NUMBERS = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** The eight bytes before a piece of output where stdout and stderr share a connection: the stream, and the length. */
export function stdcopyHeader(stream: keyof typeof STREAM_NUMBERS, length: number): Buffer {
  const header = Buffer.alloc(8);
  header[0] = STREAM_NUMBERS[stream];
  header.writeUInt32BE(length, 4);
  return header;
}
