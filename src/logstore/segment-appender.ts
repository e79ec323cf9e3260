import { mkdir, open, readFile, rm, truncate, type FileHandle } from 'node:fs/promises';

import { wakeReaders, type LiveLog } from './live-log.ts';
import { dropOldest, findSegments, sizeOf, type LogQuota, type Segment } from './log-quota.ts';
import {
  encodeSegmentHeader,
  findSegmentEnd,
  listSegments,
  segmentHeaderBytes,
  segmentPath,
  type SegmentHeader,
} from './segment.ts';

/** One container's log files and their limits. */
export interface LogFiles {
  readonly directory: string;
  readonly log: LiveLog;
  /** Over this the oldest segments are removed. */
  readonly maxBytes: number;
  /** Over this a new segment is begun. */
  readonly segmentBytes: number;
  /** Of all logs of the job. */
  readonly quota: LogQuota;
}

/** Appends whole records to the newest segment and keeps the log within its limits. */
export interface SegmentAppender {
  /** State of the log where it was opened. */
  readonly start: SegmentHeader;
  /** Writes records, `after` being the state of the log behind them; readers see them when the promise resolves. */
  append(records: Buffer, after: SegmentHeader): Promise<void>;
  close(): Promise<void>;
}

interface LogEnd {
  readonly segments: Segment[];
  readonly state: SegmentHeader;
}

/** Mends what a crash left half written, and opens the log at its end. */
export async function openSegmentAppender(files: LogFiles): Promise<SegmentAppender> {
  await mkdir(files.directory, { recursive: true, mode: 0o700 });
  const { segments, state } = await mendEnd(files.directory);
  const newest = segments.at(-1);
  let current = newest ?? { number: 1, sizeBytes: segmentHeaderBytes };
  if (!newest) segments.push(current);
  let file = newest
    ? await open(segmentPath(files.directory, newest.number), 'a')
    : await beginSegment(files.directory, current.number, state);
  const publish = (): void => {
    files.log.end = { segment: current.number, offset: current.sizeBytes };
    wakeReaders(files.log);
  };
  const rotate = async (after: SegmentHeader): Promise<void> => {
    const number = current.number + 1;
    const next = await beginSegment(files.directory, number, after);
    await file.close();
    file = next;
    current = { number, sizeBytes: segmentHeaderBytes };
    segments.push(current);
    publish();
    await removeOldest(files, segments);
  };
  files.quota.add({ directory: files.directory, segments });
  publish();
  return {
    start: state,
    async append(records, after) {
      await writeWhole(file, records);
      current.sizeBytes += records.length;
      files.log.writtenBytes += records.length;
      publish();
      if (current.sizeBytes >= files.segmentBytes) await rotate(after);
    },
    close: () => file.close(),
  };
}

async function mendEnd(directory: string): Promise<LogEnd> {
  const numbers = listSegments(directory);
  const last = numbers.at(-1);
  if (last === undefined)
    return { segments: [], state: { openLines: { stdout: 0n, stderr: 0n }, timeNs: 0n } };
  const path = segmentPath(directory, last);
  const bytes = await readFile(path);
  const end = findSegmentEnd(bytes);
  if (!end) {
    await rm(path);
    return mendEnd(directory);
  }
  if (end.sizeBytes < bytes.length) await truncate(path, end.sizeBytes);
  return { segments: await findSegments(directory), state: end };
}

async function beginSegment(directory: string, number: number, state: SegmentHeader): Promise<FileHandle> {
  const file = await open(segmentPath(directory, number), 'ax', 0o600);
  try {
    await writeWhole(file, encodeSegmentHeader(state));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function writeWhole(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}

async function removeOldest(files: LogFiles, segments: Segment[]): Promise<void> {
  const log = { directory: files.directory, segments };
  while (sizeOf(log) > files.maxBytes && segments.length > 1) await dropOldest(log);
  await files.quota.enforce();
}
