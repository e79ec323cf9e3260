import { closeSync } from 'node:fs';
import { rm } from 'node:fs/promises';

import { EngineError } from '../errors.ts';
import { toEngineError } from '../host/errors.ts';
import { findFileEnd } from './backward-reader.ts';
import { readBlocks } from './block-reader.ts';
import { createLineFilter } from './line-filter.ts';
import { newLiveLog, waitUntilWritten, wakeReaders, type LiveLog, type LogPosition } from './live-log.ts';
import { createLogQuota, findSegments } from './log-quota.ts';
import { createLogReaders, type LogReaders } from './log-readers.ts';
import { createLogWriter } from './log-writer.ts';
import { streamNames } from './record.ts';
import {
  listSegments,
  openSegment,
  readSegmentHeader,
  segmentHeaderBytes,
  type SegmentHeader,
} from './segment.ts';
import { openSegmentAppender } from './segment-appender.ts';
import { earliestStart, findTail, type TailStarts } from './tail.ts';
import type { LogFrame, LogReadOptions, LogStore, LogWriter } from './types.ts';

/** Where logs are and how large they may grow. */
export interface LogStoreOptions {
  /** The directory of a container's log, which is the log's alone. */
  readonly directoryOf: (id: string) => string;
  /** Per container; the oldest output is dropped above it. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Of all logs together; the oldest output of the largest is dropped above it. Default: no limit. */
  readonly maxTotalBytes?: number;
  /** What is dropped at a time. Default a sixteenth of `maxBytes`. */
  readonly segmentBytes?: number;
  /** The clock that output is stamped with: nanoseconds since 1970. */
  readonly now: () => bigint;
}

const defaultMaxBytes = 256 << 20;

/** Makes the store; it holds nothing in memory but who reads and writes now. */
export function createLogStore(options: LogStoreOptions): LogStore {
  const { directoryOf, maxBytes = defaultMaxBytes } = options;
  const segmentBytes = options.segmentBytes ?? Math.ceil(maxBytes / 16);
  const quota = createLogQuota(options.maxTotalBytes ?? Infinity);
  const live = new Map<string, LiveLog>();
  const readers = createLogReaders();
  const release = (id: string, log: LiveLog): void => {
    log.isOpen = false;
    if (live.get(id) === log) live.delete(id);
    wakeReaders(log);
  };
  return {
    openWriter: async (id): Promise<LogWriter> => {
      if (live.has(id)) throw new EngineError('Conflict', `the log of ${id} is already being written`);
      const log = newLiveLog(true);
      live.set(id, log);
      try {
        const appender = await openSegmentAppender({
          directory: directoryOf(id),
          log,
          maxBytes,
          segmentBytes,
          quota,
        });
        return createLogWriter(appender, log, () => release(id, log));
      } catch (error) {
        release(id, log);
        throw toEngineError(error, 'cannot open the log for writing');
      }
    },
    async count(id) {
      const directory = directoryOf(id);
      const segments = await findSegments(directory);
      if (!live.has(id)) quota.add({ directory, segments });
    },
    read: (id, readOptions, signal) =>
      readLog(options, { id, log: live.get(id), readers, readOptions, signal }),
    async remove(id) {
      const log = live.get(id);
      if (log) release(id, log);
      quota.remove(directoryOf(id));
      await rm(directoryOf(id), { recursive: true, force: true });
    },
  };
}

interface ReadRequest {
  readonly id: string;
  readonly log: LiveLog | undefined;
  readonly readers: LogReaders;
  readonly readOptions: LogReadOptions;
  readonly signal: AbortSignal;
}

async function* readLog(
  store: LogStoreOptions,
  request: ReadRequest,
): AsyncGenerator<LogFrame, void, undefined> {
  const { readOptions, signal } = request;
  const directory = store.directoryOf(request.id);
  const log = request.log ?? newLiveLog(false);
  const follow = readOptions.follow && log.isOpen;
  await waitUntilWritten(log, signal);
  await request.readers.takeTurn();
  const starting = await findStart(directory, log.end, readOptions);
  if (!starting) return;
  const filter = createLineFilter(readOptions, starting.starts, starting.before);
  const { untilNs } = readOptions;
  const waitMs = (): number | undefined =>
    untilNs === undefined ? undefined : Number((clampToZero(untilNs - store.now()) + 999_999n) / 1_000_000n);
  for await (const block of readBlocks({
    directory,
    log,
    readers: request.readers,
    start: starting.position,
    end: log.end ?? starting.end,
    follow,
    signal,
    waitMs,
  })) {
    for (const frame of filter.frames(block)) {
      yield frame;
      if (signal.aborted) return;
    }
    if (filter.isDone) return;
  }
}

function clampToZero(value: bigint): bigint {
  return value < 0n ? 0n : value;
}

interface ReadStart {
  readonly position: LogPosition;
  readonly starts: TailStarts;
  /** State of the log before the position; undefined where `starts` tells all. */
  readonly before: SegmentHeader | undefined;
  /** Where a log that nobody writes to ends, as far as that was looked for. */
  readonly end: LogPosition | undefined;
}

async function findStart(
  directory: string,
  liveEnd: LogPosition | undefined,
  options: LogReadOptions,
): Promise<ReadStart | undefined> {
  const { tail } = options;
  if (tail === 0 && !options.follow) return undefined;
  const streams = streamNames.filter((name) => options[name]);
  if (tail === 'all') return findOldest(directory, {}, options.sinceNs);
  const end = liveEnd ?? findFileEnd(directory);
  if (!end) return undefined;
  const starts = await findTail(directory, { lines: tail, streams, end, countUnfinished: !options.follow });
  const position = earliestStart(starts, streams);
  return position ? { position, starts, before: undefined, end } : findOldest(directory, starts, undefined);
}

// The newest segment that everything asked for is in or behind: one is passed over when the next one is still too old.
function findOldest(
  directory: string,
  starts: TailStarts,
  sinceNs: bigint | undefined,
): ReadStart | undefined {
  let found: ReadStart | undefined;
  for (const segment of listSegments(directory)) {
    const fd = openSegment(directory, segment);
    if (fd === undefined) continue;
    const before = headerOf(fd);
    if (found && (sinceNs === undefined || (before?.timeNs ?? sinceNs) >= sinceNs)) return found;
    found = { position: { segment, offset: segmentHeaderBytes }, starts, before, end: undefined };
  }
  return found;
}

function headerOf(fd: number): SegmentHeader | undefined {
  try {
    return readSegmentHeader(fd);
  } finally {
    closeSync(fd);
  }
}
