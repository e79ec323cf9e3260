import { crc32 } from 'node:zlib';

import type { StreamName } from '../stdio/types.ts';

// A record: length u32, newlines u32, time u64, stream u8, begun lines u8, two spare bytes; the payload; a checksum of all
// that, u32; the length again, so that a log can be walked from its end. All little-endian.
const timeAt = 8;
const streamAt = 16;
const lineStartsAt = 17;

/** Bytes before a record's payload. */
export const recordHeaderBytes = 20;
/** Bytes behind a record's payload. */
export const recordTrailerBytes = 8;
/** Bytes that a record takes beside its payload. */
export const recordOverheadBytes = recordHeaderBytes + recordTrailerBytes;
/** The longest payload; longer pieces of output are cut into several records. */
export const maxPayloadBytes = 128 * 1024;

/** Both outputs, in the order of their numbers. */
export const streamNames = ['stdout', 'stderr'] as const satisfies readonly StreamName[];

/** What a record's header says; the payload follows it. */
export interface RecordHeader {
  readonly payloadBytes: number;
  readonly newlines: number;
  readonly timeNs: bigint;
  readonly stream: StreamName;
  /** Whether each stream was at the beginning of a line before this record. */
  readonly atLineStart: Readonly<Record<StreamName, boolean>>;
}

/** What a record is made of. */
export interface RecordInput {
  readonly stream: StreamName;
  readonly timeNs: bigint;
  readonly payload: Uint8Array;
  readonly atLineStart: RecordHeader['atLineStart'];
}

/** Writes a record at the offset and answers the offset after it. */
export function writeRecord(target: Buffer, offset: number, record: RecordInput): number {
  const { stream, timeNs, payload, atLineStart } = record;
  const payloadAt = offset + recordHeaderBytes;
  target.set(payload, payloadAt);
  target.writeUInt32LE(payload.length, offset);
  target.writeUInt32LE(countNewlines(payload), offset + 4);
  target.writeBigUInt64LE(timeNs, offset + timeAt);
  target.writeUInt32LE(streamNames.indexOf(stream), offset + streamAt);
  target[offset + lineStartsAt] = (atLineStart.stdout ? 1 : 0) | (atLineStart.stderr ? 2 : 0);
  const end = payloadAt + payload.length;
  target.writeUInt32LE(crc32(target.subarray(offset, end)), end);
  target.writeUInt32LE(payload.length, end + 4);
  return end + recordTrailerBytes;
}

/** Reads the header at the offset, which must be whole; undefined where no record can begin. */
export function readRecordHeader(source: Buffer, offset: number): RecordHeader | undefined {
  const payloadBytes = source.readUInt32LE(offset);
  const stream = streamNames[source.readUInt8(offset + streamAt)];
  const lineStarts = source.readUInt8(offset + lineStartsAt);
  if (payloadBytes === 0 || payloadBytes > maxPayloadBytes || stream === undefined) return undefined;
  return {
    payloadBytes,
    stream,
    newlines: source.readUInt32LE(offset + 4),
    timeNs: source.readBigUInt64LE(offset + timeAt),
    atLineStart: { stdout: (lineStarts & 1) !== 0, stderr: (lineStarts & 2) !== 0 },
  };
}

/** True when the record at the offset is whole and as it was written. */
export function isRecordIntact(source: Buffer, offset: number): boolean {
  if (offset + recordOverheadBytes > source.length) return false;
  const header = readRecordHeader(source, offset);
  if (!header) return false;
  const end = offset + recordHeaderBytes + header.payloadBytes;
  if (end + recordTrailerBytes > source.length) return false;
  if (source.readUInt32LE(end + 4) !== header.payloadBytes) return false;
  return source.readUInt32LE(end) === crc32(source.subarray(offset, end));
}

function countNewlines(payload: Uint8Array): number {
  let count = 0;
  for (let at = payload.indexOf(10); at !== -1; at = payload.indexOf(10, at + 1)) count += 1;
  return count;
}
