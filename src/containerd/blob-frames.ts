// gRPC frames of the messages that carry a blob's bytes, made and read around those bytes: a message library copies
// them, and its caller again for the frame.

const FRAME_HEAD_BYTES = 5;
const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
// A tag and a varint of 64 bits; before its data a message has two fields at most.
const MAX_FIELD_HEAD_BYTES = 11;

/** A frame up to its payload: the encoded `fields`, then the head of the bytes field that `payloadBytes` are to follow. */
export function framePayload(fields: Uint8Array, fieldNumber: number, payloadBytes: number): Buffer {
  const payloadHead = [...varint(fieldNumber * 8 + WIRE_BYTES), ...varint(payloadBytes)];
  return frameOf([fields, Uint8Array.from(payloadHead)], payloadBytes);
}

/** A whole frame. */
export function frameMessage(message: Uint8Array): Buffer {
  return frameOf([message], 0);
}

function frameOf(parts: readonly Uint8Array[], followingBytes: number): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  const frame = Buffer.concat([head, ...parts]);
  frame.writeUInt32BE(frame.length - FRAME_HEAD_BYTES + followingBytes, 1);
  return frame;
}

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

/** Cuts what is received into whole messages; for small ones. */
export class MessageReader {
  #held: Buffer = Buffer.alloc(0);

  /** Messages that are complete with this chunk. */
  *push(chunk: Uint8Array): Generator<Buffer, void> {
    this.#held = Buffer.concat([this.#held, chunk]);
    while (this.#held.length >= FRAME_HEAD_BYTES) {
      const end = FRAME_HEAD_BYTES + this.#held.readUInt32BE(1);
      if (this.#held.length < end) return;
      const message = this.#held.subarray(FRAME_HEAD_BYTES, end);
      this.#held = this.#held.subarray(end);
      yield message;
    }
  }
}

/** Finds the payload, one bytes field, in frames that are received piece by piece; its bytes are handed on uncopied. */
export class PayloadReader {
  readonly #fieldNumber: number;
  /** Bytes of a head that is not complete. */
  #held: Buffer = Buffer.alloc(0);
  #messageBytes = 0;
  /** Of the field under way, and whether it is the payload. */
  #fieldBytes = 0;
  #isPayload = false;

  constructor(fieldNumber: number) {
    this.#fieldNumber = fieldNumber;
  }

  /** Pieces of payload in the chunk; throws where it is no message. */
  *push(chunk: Uint8Array): Generator<Buffer, void> {
    let rest: Buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#held.length > 0) rest = Buffer.concat([this.#held, rest]);
    while (rest.length > 0) {
      if (this.#fieldBytes > 0) {
        const piece = rest.subarray(0, this.#fieldBytes);
        this.#fieldBytes -= piece.length;
        this.#messageBytes -= piece.length;
        rest = rest.subarray(piece.length);
        if (this.#isPayload) yield piece;
        continue;
      }
      const taken = this.#messageBytes > 0 ? this.#readFieldHead(rest) : this.#readFrameHead(rest);
      if (taken === 0) break;
      rest = rest.subarray(taken);
    }
    this.#held = rest;
  }

  #readFrameHead(bytes: Buffer): number {
    if (bytes.length < FRAME_HEAD_BYTES) return 0;
    this.#messageBytes = bytes.readUInt32BE(1);
    return FRAME_HEAD_BYTES;
  }

  #readFieldHead(bytes: Buffer): number {
    const tag = readVarint(bytes, 0);
    const value = tag && readVarint(bytes, tag.end);
    if (!value) {
      if (bytes.length >= Math.min(2 * MAX_FIELD_HEAD_BYTES, this.#messageBytes))
        throw new Error('containerd sent a message that cannot be read');
      return 0;
    }
    const wireType = tag.value % 8;
    if (wireType !== WIRE_BYTES && wireType !== WIRE_VARINT)
      throw new Error('containerd sent a message with an unknown field');
    this.#isPayload = Math.floor(tag.value / 8) === this.#fieldNumber;
    this.#fieldBytes = wireType === WIRE_BYTES ? value.value : 0;
    this.#messageBytes -= value.end;
    if (this.#messageBytes < this.#fieldBytes) throw new Error('containerd sent a message that breaks off');
    return value.end;
  }
}

function readVarint(
  bytes: Buffer,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let index = start; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    value += (byte & 127) * 2 ** (7 * (index - start));
    if (byte < 128) return { value, end: index + 1 };
  }
  return undefined;
}
