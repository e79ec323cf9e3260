import { closeSync, fstatSync, readSync } from 'node:fs';

import { EngineError } from '../errors.ts';
import { createTurns } from '../lib/turns.ts';
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

// Room for a record of what a pipe is read in at a time: few are longer, and most tails lie in the last one.
const windowBytes = 80 * 1024;

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
  const window: Window = { bytes: Buffer.allocUnsafeSlow(windowBytes), takeTurn: createTurns() };
  for (const segment of segmentsBackward(directory, end.segment)) {
    const fd = openSegment(directory, segment);
    if (fd === undefined) return;
    try {
      const offset = segment === end.segment ? end.offset : fstatSync(fd).size;
      yield* readSegmentBackward(fd, window, { segment, offset });
    } finally {
      closeSync(fd);
    }
  }
}

// Most tails lie in the newest: where the others are is asked for when they are needed.
function* segmentsBackward(directory: string, newest: number): Generator<number, void, undefined> {
  yield newest;
  yield* listSegments(directory)
    .filter((number) => number < newest)
    .reverse();
}

interface Window {
  bytes: Buffer;
  readonly takeTurn: ReturnType<typeof createTurns>;
}

async function* readSegmentBackward(
  fd: number,
  window: Window,
  { segment, offset }: LogPosition,
): AsyncGenerator<LogRecord, void, undefined> {
  // The window holds the file from `from` to `to`.
  let from = offset;
  const reach = async (to: number, sizeBytes: number): Promise<void> => {
    if (to - from >= sizeBytes || from === segmentHeaderBytes) return;
    if (window.bytes.length < sizeBytes) window.bytes = Buffer.allocUnsafeSlow(sizeBytes);
    await window.takeTurn();
    from = Math.max(segmentHeaderBytes, to - window.bytes.length);
    readExactly(fd, window.bytes.subarray(0, to - from), from);
  };
  for (let to = offset; to > segmentHeaderBytes;) {
    await reach(to, recordOverheadBytes);
    const payloadBytes = window.bytes.readUInt32LE(to - from - 4);
    if (payloadBytes > maxPayloadBytes) throw new EngineError('Internal', 'the log is damaged');
    await reach(to, payloadBytes + recordOverheadBytes);
    const at = to - recordOverheadBytes - payloadBytes;
    const header = at < from ? undefined : readRecordHeader(window.bytes, at - from);
    if (header?.payloadBytes !== payloadBytes) throw new EngineError('Internal', 'the log is damaged');
    const payloadAt = at - from + recordHeaderBytes;
    const payload = window.bytes.subarray(payloadAt, payloadAt + payloadBytes);
    yield { position: { segment, offset: at }, header, payload };
    to = at;
  }
}

function readExactly(fd: number, target: Buffer, position: number): void {
  const bytesRead = readSync(fd, target, 0, target.length, position);
  if (bytesRead !== target.length) throw new EngineError('Internal', 'the log is shorter than it was');
}

/** Where the intact part of a segment ends that nobody writes to (a crash may have left half a record). */
export function findFileEnd(directory: string): LogPosition | undefined {
  const segment = listSegments(directory).at(-1);
  const fd = segment === undefined ? undefined : openSegment(directory, segment);
  if (segment === undefined || fd === undefined) return undefined;
  try {
    const { size } = fstatSync(fd);
    if (endsWithRecord(fd, size)) return { segment, offset: size };
    const bytes = Buffer.allocUnsafeSlow(size);
    readExactly(fd, bytes, 0);
    return { segment, offset: findSegmentEnd(bytes)?.sizeBytes ?? segmentHeaderBytes };
  } finally {
    closeSync(fd);
  }
}

function endsWithRecord(fd: number, size: number): boolean {
  if (size < segmentHeaderBytes + recordOverheadBytes) return false;
  const length = Buffer.alloc(4);
  readExactly(fd, length, size - length.length);
  const payloadBytes = length.readUInt32LE(0);
  const recordBytes = payloadBytes + recordOverheadBytes;
  if (payloadBytes > maxPayloadBytes || recordBytes > size - segmentHeaderBytes) return false;
  const record = Buffer.allocUnsafeSlow(recordBytes);
  readExactly(fd, record, size - recordBytes);
  return isRecordIntact(record, 0);
}
