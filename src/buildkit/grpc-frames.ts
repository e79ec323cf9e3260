import { EngineError } from '../errors.ts';

/** Longest message of a client's session: fsutil sends files in pieces of 32 KiB, secrets have 500 KiB at most. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const HEAD_BYTES = 5;

/** A message as gRPC frames it: a flag, the length, the bytes. */
export function frameMessage(message: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Cuts a stream of frames into messages; InvalidArgument for a compressed one or one without measure. */
export async function* readMessages(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  const parts: Uint8Array[] = [];
  let available = 0;
  const take = (length: number): Buffer => {
    const whole =
      parts.length === 1 && parts[0]
        ? Buffer.from(parts[0].buffer, parts[0].byteOffset, available)
        : Buffer.concat(parts);
    parts.length = 0;
    available -= length;
    if (available > 0) parts.push(whole.subarray(length));
    return whole.subarray(0, length);
  };
  let wanted: number | undefined;
  for await (const part of stream) {
    parts.push(part);
    available += part.length;
    for (;;) {
      if (wanted === undefined) {
        if (available < HEAD_BYTES) break;
        const head = take(HEAD_BYTES);
        wanted = head.readUInt32BE(1);
        if (head[0] !== 0) throw new EngineError('InvalidArgument', 'compressed messages were not asked for');
        if (wanted > MAX_MESSAGE_BYTES)
          throw new EngineError('InvalidArgument', `a message of ${wanted} bytes is too long`);
      }
      if (available < wanted) break;
      yield take(wanted);
      wanted = undefined;
    }
  }
}
