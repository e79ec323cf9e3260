import { addressBytes } from './address-bytes.ts';

/** The one question of a DNS query, as far as berth answers it. */
export interface DnsQuestion {
  readonly id: number;
  /** Lower case, without the final dot. */
  readonly name: string;
  readonly type: number;
  readonly isRecursionDesired: boolean;
  /** The question section as it came. */
  readonly section: Buffer;
  /** What the client takes in one datagram. */
  readonly maxBytes: number;
  /** It speaks of extensions (RFC 6891), and so must the answer. */
  readonly isExtended: boolean;
}

/** What berth says to a question itself. */
export type DnsAnswer =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'name'; readonly name: string };

/** Types of records. */
export const recordTypes = { a: 1, ptr: 12, aaaa: 28 } as const;
/** Outcomes of a query. */
export const responseCodes = { noError: 0, formatError: 1, serverFailure: 2, refused: 5 } as const;

const headerBytes = 12;
const classIn = 1;
const typeOpt = 41;
const plainUdpBytes = 512;
const largestUdpBytes = 1232;
const ttlSeconds = 600;

/** Reads a query; undefined for anything that is not one with exactly one question in the internet class. */
export function parseQuery(message: Buffer): DnsQuestion | undefined {
  if (message.length < headerBytes || (message.readUInt16BE(2) & 0xf800) !== 0) return undefined;
  if (message.readUInt16BE(4) !== 1 || message.readUInt16BE(6) !== 0) return undefined;
  const name = readName(message);
  if (!name || name.end + 4 > message.length || message.readUInt16BE(name.end + 2) !== classIn)
    return undefined;
  const end = name.end + 4;
  return {
    id: message.readUInt16BE(0),
    name: name.text,
    type: message.readUInt16BE(name.end),
    isRecursionDesired: (message.readUInt16BE(2) & 0x0100) !== 0,
    section: message.subarray(headerBytes, end),
    ...extensionOf(message, end),
  };
}

// A question's name comes first, so it has nothing to point back to: pointers are refused.
function readName(message: Buffer): { readonly text: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = headerBytes;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63 || at + length >= message.length || at - headerBytes > 255)
      return undefined;
    at += 1;
    if (length === 0) return { text: labels.join('.').toLowerCase(), end: at };
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
}

function extensionOf(message: Buffer, at: number): Pick<DnsQuestion, 'maxBytes' | 'isExtended'> {
  const isExtended =
    message.readUInt16BE(8) === 0 &&
    message.readUInt16BE(10) > 0 &&
    message.length >= at + 11 &&
    message[at] === 0 &&
    message.readUInt16BE(at + 1) === typeOpt;
  const asked = isExtended ? message.readUInt16BE(at + 3) : plainUdpBytes;
  return { isExtended, maxBytes: Math.min(largestUdpBytes, Math.max(plainUdpBytes, asked)) };
}

/** The response to a question: what does not fit is left out and said to be. */
export function formatAnswer(question: DnsQuestion, answer: DnsAnswer, maxBytes: number): Buffer {
  const records = answer.kind === 'name' ? [pointerRecord(answer.name)] : answer.addresses.map(addressRecord);
  const kept: Buffer[] = [];
  const extension = extensionRecord(question);
  let bytes = headerBytes + question.section.length + extension.length;
  for (const record of records) {
    bytes += record.length;
    if (bytes > maxBytes) break;
    kept.push(record);
  }
  const truncated = kept.length < records.length ? 0x0200 : 0;
  const header = headerOf(question, { code: responseCodes.noError, answers: kept.length, flags: truncated });
  return Buffer.concat([header, question.section, ...kept, extension]);
}

/** A response without an answer. */
export function formatFailure(question: DnsQuestion, code: number): Buffer {
  const header = headerOf(question, { code, answers: 0, flags: 0 });
  return Buffer.concat([header, question.section, extensionRecord(question)]);
}

interface Outcome {
  readonly code: number;
  readonly answers: number;
  readonly flags: number;
}

function headerOf(
  { id, isRecursionDesired, isExtended }: DnsQuestion,
  { code, answers, flags }: Outcome,
): Buffer {
  const header = Buffer.alloc(headerBytes);
  const recursion = isRecursionDesired ? 0x0180 : 0x0080;
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x8000 | recursion | flags | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers, 6);
  header.writeUInt16BE(isExtended ? 1 : 0, 10);
  return header;
}

// Of the root, with the size of datagrams in the place of the class; nothing else is said.
function extensionRecord({ isExtended }: DnsQuestion): Buffer {
  const record = Buffer.alloc(isExtended ? 11 : 0);
  if (!isExtended) return record;
  record.writeUInt16BE(typeOpt, 1);
  record.writeUInt16BE(largestUdpBytes, 3);
  return record;
}

function addressRecord(address: string): Buffer {
  const bytes = addressBytes(address);
  return record(bytes.length === 4 ? recordTypes.a : recordTypes.aaaa, bytes);
}

function pointerRecord(name: string): Buffer {
  const labels = name.split('.').map((label) => {
    const bytes = Buffer.from(label, 'latin1').subarray(0, 63);
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  return record(recordTypes.ptr, Buffer.concat([...labels, Buffer.of(0)]));
}

// Its name is a pointer to the question's.
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | headerBytes, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(classIn, 4);
  head.writeUInt32BE(ttlSeconds, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
