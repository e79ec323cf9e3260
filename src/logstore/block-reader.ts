import { closeSync, readSync } from 'node:fs';

import { createTurns } from '../lib/turns.ts';
import { waitForChange, type LiveLog, type LogPosition } from './live-log.ts';
import { maxPayloadBytes, readRecordHeader, recordHeaderBytes, recordOverheadBytes } from './record.ts';
import {
  listSegments,
  openSegment,
  readSegmentHeader,
  segmentHeaderBytes,
  type SegmentHeader,
} from './segment.ts';

/** Holds any record; short readings, as of the last lines, take no more. */
const firstBlockBytes = maxPayloadBytes + recordOverheadBytes;
const blockBytes = 4 * firstBlockBytes;

/** Whole records as they lie in a segment; the bytes are only valid until the next block is asked for. */
export interface LogBlock {
  readonly position: LogPosition;
  readonly bytes: Buffer;
  /** Present where the reader got here by a jump, so that what went before is unknown. */
  readonly jumped: SegmentHeader | undefined;
}

/** What to read, and when to stop. */
export interface BlockReaderOptions {
  readonly directory: string;
  readonly log: LiveLog;
  readonly start: LogPosition;
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Milliseconds after which a follower has nothing more to wait for. */
  readonly waitMs: () => number | undefined;
}

/** Reads blocks of records from a position to the end of the log, or with `follow` until it is closed. */
export async function* readBlocks(options: BlockReaderOptions): AsyncGenerator<LogBlock, void, undefined> {
  const { directory, log, follow, signal } = options;
  const end = follow ? undefined : log.end;
  let buffer: Buffer = Buffer.allocUnsafeSlow(firstBlockBytes);
  // A client that keeps up would otherwise have the thread until the log's end.
  const takeTurn = createTurns();
  let cursor: Cursor = {
    position: options.start,
    fd: openSegment(directory, options.start.segment),
    jumped: undefined,
  };
  try {
    while (!signal.aborted) {
      const { fd, position, jumped } = cursor;
      const limit = limitOf(end ?? log.end, position);
      const block = fd === undefined ? undefined : readBlock(fd, buffer, { position, limit });
      if (block && block.length > 0) {
        yield { position, bytes: block, jumped };
        await takeTurn();
        cursor = {
          fd,
          position: { ...position, offset: position.offset + block.length },
          jumped: undefined,
        };
        buffer = growAfter(buffer, block);
      } else if (fd !== undefined && limit !== undefined) {
        if (!(await awaitMore(options, position, limit))) return;
      } else {
        const next = moveOn(cursor, directory, end);
        if (!next) return;
        cursor = next;
      }
    }
  } finally {
    if (cursor.fd !== undefined) closeSync(cursor.fd);
  }
}

// What goes on behind a well filled block is likely to be long.
function growAfter(buffer: Buffer, { length }: Buffer): Buffer {
  const isEnough = buffer.length === blockBytes || length <= firstBlockBytes / 2;
  return isEnough ? buffer : Buffer.allocUnsafeSlow(blockBytes);
}

interface Cursor {
  readonly position: LogPosition;
  /** undefined: the segment has been removed. */
  readonly fd: number | undefined;
  readonly jumped: SegmentHeader | undefined;
}

// At the end of what was announced: false when nothing more will come.
async function awaitMore(
  options: BlockReaderOptions,
  position: LogPosition,
  limit: number,
): Promise<boolean> {
  const { log, follow, signal } = options;
  if (!follow) return false;
  // Written, or gone on in another segment, while we read.
  if (limitOf(log.end, position) !== limit) return true;
  const waitMs = options.waitMs();
  if (!log.isOpen || waitMs === 0) return false;
  await waitForChange(log, signal, waitMs);
  return true;
}

// Closes what the cursor was in, where it answers another one.
function moveOn(
  { fd, position }: Cursor,
  directory: string,
  end: LogPosition | undefined,
): Cursor | undefined {
  const segment = listSegments(directory).find((number) => number > position.segment);
  if (segment === undefined || (end && segment > end.segment)) return undefined;
  const isGap = fd === undefined || segment > position.segment + 1;
  const next = openSegment(directory, segment);
  try {
    const jumped = isGap && next !== undefined ? readSegmentHeader(next) : undefined;
    if (fd !== undefined) closeSync(fd);
    return { fd: next, position: { segment, offset: segmentHeaderBytes }, jumped };
  } catch (error) {
    if (next !== undefined) closeSync(next);
    throw error;
  }
}

// Only the newest segment can still grow: up to the end that the writer has announced.
function limitOf(end: LogPosition | undefined, position: LogPosition): number | undefined {
  return end?.segment === position.segment ? end.offset : undefined;
}

interface BlockRange {
  readonly position: LogPosition;
  readonly limit: number | undefined;
}

function readBlock(fd: number, buffer: Buffer, { position, limit }: BlockRange): Buffer {
  const wanted = limit === undefined ? buffer.length : Math.min(buffer.length, limit - position.offset);
  if (wanted <= 0) return buffer.subarray(0, 0);
  const bytesRead = readSync(fd, buffer, 0, wanted, position.offset);
  return buffer.subarray(0, wholeRecords(buffer.subarray(0, bytesRead)));
}

function wholeRecords(bytes: Buffer): number {
  let offset = 0;
  while (offset + recordHeaderBytes <= bytes.length) {
    const header = readRecordHeader(bytes, offset);
    if (!header) break;
    const next = offset + header.payloadBytes + recordOverheadBytes;
    if (next > bytes.length) break;
    offset = next;
  }
  return offset;
}
