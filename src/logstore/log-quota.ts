import { rm, stat } from 'node:fs/promises';

import { createKeyedLock } from '../lib/keyed-lock.ts';
import { listSegments, segmentPath } from './segment.ts';

/** One file of a log. */
export interface Segment {
  readonly number: number;
  sizeBytes: number;
}

/** The files of one container's log, oldest first. */
export interface LogSegments {
  readonly directory: string;
  readonly segments: Segment[];
}

/** Keeps the logs of a job together below a size. */
export interface LogQuota {
  add(log: LogSegments): void;
  remove(directory: string): void;
  /** Drops the oldest output of the largest logs until all fit; each keeps its newest file. */
  enforce(): Promise<void>;
}

/** Makes the quota; what it counts is what is added. */
export function createLogQuota(maxBytes: number): LogQuota {
  const logs = new Map<string, LogSegments>();
  const lock = createKeyedLock();
  return {
    add(log) {
      logs.set(log.directory, log);
    },
    remove(directory) {
      logs.delete(directory);
    },
    enforce: () => lock.run('all', () => dropLargest(logs, maxBytes)),
  };
}

async function dropLargest(logs: ReadonlyMap<string, LogSegments>, maxBytes: number): Promise<void> {
  const sizes = [...logs.values()].map((log) => ({ log, bytes: sizeOf(log) }));
  let total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  while (total > maxBytes) {
    const droppable = sizes.filter(({ log }) => log.segments.length > 1);
    const [largest] = droppable.toSorted((a, b) => b.bytes - a.bytes);
    if (!largest) return;
    const droppedBytes = await dropOldest(largest.log);
    largest.bytes -= droppedBytes;
    total -= droppedBytes;
  }
}

/** The files of a log as they are on disk; none where there is no log. */
export async function findSegments(directory: string): Promise<Segment[]> {
  return Promise.all(
    listSegments(directory).map(async (number) => ({
      number,
      sizeBytes: (await stat(segmentPath(directory, number))).size,
    })),
  );
}

/** Bytes of a log's files. */
export function sizeOf({ segments }: LogSegments): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Removes the oldest file of a log; answers its size. */
export async function dropOldest({ directory, segments }: LogSegments): Promise<number> {
  const oldest = segments.shift();
  if (!oldest) return 0;
  await rm(segmentPath(directory, oldest.number), { force: true });
  return oldest.sizeBytes;
}
