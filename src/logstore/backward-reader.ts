import type { FileHandle } from 'node:fs/promises';

import { EngineError } from '../errors.ts';
import type { LogPosition } from './live-log.ts';
import {
  isRecordIntact,
  maxPayloadBytes,
  readRecordHeader,
  recordHeaderBytes,
  recordOverheadBytes,
  type RecordHeader,
} from './record.ts';
import { findSegmentEnd, listSegments, openSegment, segmentHeaderBytes } from './segment.ts';

const windowBytes = 2 * (maxPayloadBytes + recordOverheadBytes);

/** A record met on the way back; the payload is only valid until the next one is asked for. */
export interface LogRecord {
  readonly position: LogPosition;
  readonly header: RecordHeader;
  readonly payload: Buffer;
}

/** Walks the records of a log from a position back to the oldest. */
export async function* readBackward(
  directory: string,
  end: LogPosition,
): AsyncGenerator<LogRecord, void, undefined> {
  const numbers = (await listSegments(directory)).filter((number) => number <= end.segment);
  const window = Buffer.allocUnsafeSlow(windowBytes);
  for (const segment of numbers.reverse()) {
    const file = await openSegment(directory, segment);
    if (!file) return;
    try {
      const offset = segment === end.segment ? end.offset : (await file.stat()).size;
      yield* readSegmentBackward(file, window, { segment, offset });
    } finally {
      await file.close();
    }
  }
}

async function* readSegmentBackward(
  file: FileHandle,
  window: Buffer,
  { segment, offset }: LogPosition,
): AsyncGenerator<LogRecord, void, undefined> {
  // The window holds the file from `from` to `to`.
  let from = offset;
  for (let to = offset; to > segmentHeaderBytes;) {
    if (to - from < recordOverheadBytes + maxPayloadBytes && from > segmentHeaderBytes) {
      from = Math.max(segmentHeaderBytes, to - windowBytes);
      await readExactly(file, window.subarray(0, to - from), from);
    }
    const payloadBytes = window.readUInt32LE(to - from - 4);
    const at = to - recordOverheadBytes - payloadBytes;
    const header = at < from ? undefined : readRecordHeader(window, at - from);
    if (header?.payloadBytes !== payloadBytes) throw new EngineError('Internal', 'the log is damaged');
    const payloadAt = at - from + recordHeaderBytes;
    const payload = window.subarray(payloadAt, payloadAt + payloadBytes);
    yield { position: { segment, offset: at }, header, payload };
    to = at;
  }
}

async function readExactly(file: FileHandle, target: Buffer, position: number): Promise<void> {
  const { bytesRead } = await file.read(target, 0, target.length, position);
  if (bytesRead !== target.length) throw new EngineError('Internal', 'the log is shorter than it was');
}

/** Where the intact part of a segment ends that nobody writes to (a crash may have left half a record). */
export async function findFileEnd(directory: string): Promise<LogPosition | undefined> {
  const segment = (await listSegments(directory)).at(-1);
  const file = segment === undefined ? undefined : await openSegment(directory, segment);
  if (segment === undefined || !file) return undefined;
  try {
    const { size } = await file.stat();
    if (await endsWithRecord(file, size)) return { segment, offset: size };
    const bytes = Buffer.allocUnsafeSlow(size);
    await readExactly(file, bytes, 0);
    return { segment, offset: findSegmentEnd(bytes)?.sizeBytes ?? segmentHeaderBytes };
  } finally {
    await file.close();
  }
}

async function endsWithRecord(file: FileHandle, size: number): Promise<boolean> {
  const bytes = Buffer.allocUnsafeSlow(
    Math.max(0, Math.min(maxPayloadBytes + recordOverheadBytes, size - segmentHeaderBytes)),
  );
  if (bytes.length < recordOverheadBytes) return false;
  await readExactly(file, bytes, size - bytes.length);
  const at = bytes.length - recordOverheadBytes - bytes.readUInt32LE(bytes.length - 4);
  return at >= 0 && isRecordIntact(bytes, at);
}
