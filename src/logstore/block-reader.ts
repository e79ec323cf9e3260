import { closeSync, readSync } from 'node:fs';

import { waitForChange, type LiveLog, type LogPosition } from './live-log.ts';
import { maxPayloadBytes, readRecordHeader, recordHeaderBytes, recordOverheadBytes } from './record.ts';
import type { LogReaders } from './log-readers.ts';
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
const NO_BYTES = Buffer.alloc(0);

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
  /** All who read logs of the store now. */
  readonly readers: LogReaders;
  readonly start: LogPosition;
  /** Where one that does not follow stops; undefined: at the end of the files. */
  readonly end: LogPosition | undefined;
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Milliseconds after which a follower has nothing more to wait for. */
  readonly waitMs: () => number | undefined;
}

/** Reads blocks of records from a position to the end of the log, or with `follow` until it is closed. */
export async function* readBlocks(options: BlockReaderOptions): AsyncGenerator<LogBlock, void, undefined> {
  const { directory, log, follow, signal, readers } = options;
  const end = follow ? undefined : options.end;
  const block = createBlock(readers);
  const leave = readers.enter();
  let cursor: Cursor = {
    position: options.start,
    fd: openSegment(directory, options.start.segment),
    jumped: undefined,
  };
  try {
    while (!signal.aborted) {
      const { fd, position, jumped } = cursor;
      const limit = limitOf(end ?? log.end, position);
      const bytes = fd === undefined ? NO_BYTES : block.read(fd, { position, limit });
      if (bytes.length > 0) {
        yield { position, bytes, jumped };
        // A client that keeps up would otherwise have the thread until the log's end.
        await readers.takeTurn();
        const offset = position.offset + bytes.length;
        cursor = { fd, position: { ...position, offset }, jumped: undefined };
      } else if (fd !== undefined && limit !== undefined) {
        block.release();
        if (!(await awaitMore(options, position, limit))) return;
      } else {
        const next = moveOn(cursor, directory, end);
        if (!next) return;
        cursor = next;
      }
    }
  } finally {
    leave();
    if (cursor.fd !== undefined) closeSync(cursor.fd);
  }
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
  await options.readers.takeTurn();
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

interface Block {
  /** The whole records that are there, as many as there is room for; none at the limit, or the segment's end. */
  read(fd: number, range: BlockRange): Buffer;
  /** Gives the room back: who waits has none. */
  release(): void;
}

// Its room is what there is to read, up to a share of what all readers may have, and any record's length at least.
function createBlock(readers: LogReaders): Block {
  let room: Buffer = NO_BYTES;
  let mostBytes = firstBlockBytes;
  const readInto = (fd: number, position: LogPosition, wanted: number): Buffer => {
    if (room.length < wanted) room = Buffer.allocUnsafe(wanted);
    return room.subarray(0, readSync(fd, room, 0, wanted, position.offset));
  };
  return {
    read(fd, { position, limit }) {
      const present = limit === undefined ? mostBytes : limit - position.offset;
      const wanted = Math.min(mostBytes, present, readers.shareBytes());
      if (wanted <= 0) return NO_BYTES;
      const found = readInto(fd, position, wanted);
      const missing = found.length < wanted ? 0 : bytesOfFirst(found);
      const records = missing > found.length ? readInto(fd, position, missing) : found;
      const bytes = records.subarray(0, wholeRecords(records));
      // What goes on behind a well filled block is likely to be long.
      if (bytes.length > firstBlockBytes / 2) mostBytes = blockBytes;
      return bytes;
    },
    release() {
      room = NO_BYTES;
    },
  };
}

// Length of the record at the beginning; 0 where none can be.
function bytesOfFirst(bytes: Buffer): number {
  const header = bytes.length < recordHeaderBytes ? undefined : readRecordHeader(bytes, 0);
  return header ? header.payloadBytes + recordOverheadBytes : 0;
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
