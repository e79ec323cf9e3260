/** An attribute of a netlink message: a number is 32 bits in the machine's order, text ends with a zero byte. */
export type Attribute = readonly [type: number, value: Buffer | string | number | readonly Attribute[]];

/** A request to the kernel: what it asks is acknowledged, or answered with an errno. */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  /** The family's own header and the attributes. */
  readonly body: Buffer;
}

/** A message from the kernel; `errno` is set where it is the end of a request, 0 for success. */
export interface NetlinkAnswer {
  readonly sequence: number;
  readonly errno: number | undefined;
  readonly body: Buffer;
}

/** Flags of a request. */
export const requestFlags = {
  request: 0x1,
  ack: 0x4,
  replace: 0x100,
  exclusive: 0x200,
  dump: 0x300,
  create: 0x400,
  append: 0x800,
} as const;

const headerBytes = 16;
const nestedFlag = 0x8000;
const errorType = 2;
const doneType = 3;

/** Attributes one after the other; a list is an attribute with others inside. */
export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  return Buffer.concat(attributes.map(encodeAttribute));
}

function encodeAttribute([type, value]: Attribute): Buffer {
  const isNested = typeof value === 'object' && !Buffer.isBuffer(value);
  const payload = isNested ? encodeAttributes(value) : encodeValue(value);
  const bytes = Buffer.alloc(4 + Math.ceil(payload.length / 4) * 4);
  bytes.set(halfWord(4 + payload.length), 0);
  bytes.set(halfWord(isNested ? type | nestedFlag : type), 2);
  payload.copy(bytes, 4);
  return bytes;
}

function encodeValue(value: Buffer | string | number): Buffer {
  if (typeof value === 'string') return Buffer.from(`${value}\0`);
  return typeof value === 'number' ? word(value) : value;
}

/** A request with its header; the sequence number is what its answer is known by. */
export function encodeRequest({ type, flags, body }: NetlinkRequest, sequence: number): Buffer {
  const length = headerBytes + body.length;
  return Buffer.concat([word(length), halfWord(type), halfWord(flags), word(sequence), word(0), body]);
}

/** The messages of one datagram of the kernel's. */
export function decodeAnswers(datagram: Buffer): readonly NetlinkAnswer[] {
  const answers: NetlinkAnswer[] = [];
  let at = 0;
  while (at + headerBytes <= datagram.length) {
    const view = new DataView(datagram.buffer, datagram.byteOffset + at);
    const length = view.getUint32(0, isLittleEndian);
    if (length < headerBytes || at + length > datagram.length) break;
    const type = view.getUint16(4, isLittleEndian);
    const isEnd = type === errorType || type === doneType;
    answers.push({
      sequence: view.getUint32(8, isLittleEndian),
      errno: isEnd ? Math.abs(view.getInt32(headerBytes, isLittleEndian)) : undefined,
      // The datagram's memory is used again.
      body: Buffer.from(datagram.subarray(at + headerBytes, at + length)),
    });
    at += Math.ceil(length / 4) * 4;
  }
  return answers;
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The value of a message's first attribute of the type, after its header; undefined where it has none. */
export function readAttribute(message: Buffer, offset: number, wanted: number): Buffer | undefined {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  let at = offset;
  while (at + 4 <= message.length) {
    const length = view.getUint16(at, isLittleEndian);
    if (length < 4 || at + length > message.length) return undefined;
    if ((view.getUint16(at + 2, isLittleEndian) & ~nestedFlag) === wanted)
      return message.subarray(at + 4, at + length);
    at += Math.ceil(length / 4) * 4;
  }
  return undefined;
}

/** 32 bits in the machine's order. */
export function word(value: number): Buffer {
  return Buffer.from(Uint32Array.of(value).buffer);
}

/** 16 bits in the machine's order. */
export function halfWord(value: number): Buffer {
  return Buffer.from(Uint16Array.of(value).buffer);
}

/** The 32 bits in the machine's order at a place of a message. */
export function readWord(bytes: Buffer, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, isLittleEndian);
}
