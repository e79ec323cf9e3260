import type { BuildCachePruned, BuildCacheRecord } from '../../wire/build-cache.ts';
import { checkFilterNames, matchesExactly, untilFilter, type Filters } from '../filters.ts';
import type { Job } from '../job.ts';
import { dropStep } from './keep-step.ts';
import { listCache } from './list-cache.ts';

/** How `docker builder prune` asks. */
export interface PruneCacheOptions {
  /** Those that images share layers with, too, and the directories of cache mounts. */
  readonly all: boolean;
  /** Bytes of what was used last that stay. */
  readonly keepBytes: number;
  readonly filters: Filters;
}

const NS_PER_MS = 1_000_000n;

/** `POST /build/prune`: what was not used for the longest time goes first. */
export async function pruneCache(job: Job, options: PruneCacheOptions): Promise<BuildCachePruned> {
  const { all, keepBytes, filters } = options;
  checkFilterNames(filters, [
    'until',
    'unused-for',
    'id',
    'type',
    'description',
    'inuse',
    'shared',
    'private',
  ]);
  const until = filters.get('until') ?? filters.get('unused-for');
  const untilNs = untilFilter(until ? new Map([['until', until]]) : new Map(), job.nowNs());
  const isAsked = (record: BuildCacheRecord): boolean =>
    (all || !record.Shared) &&
    matchesRecord(filters, record) &&
    (untilNs === undefined || BigInt(Date.parse(record.LastUsedAt)) * NS_PER_MS <= untilNs);
  const records = listCache(job);
  let size = records.reduce((sum, { Size }) => sum + Size, 0);
  const dropped: BuildCacheRecord[] = [];
  for (const record of records.filter(isAsked)) {
    if (keepBytes > 0 && size <= keepBytes) break;
    size -= record.Size;
    dropped.push(record);
  }
  const steps = new Map(job.buildCache.list().map((step) => [step.key, step]));
  for (const { ID: key } of dropped) {
    const step = steps.get(key);
    if (step) await dropStep(job, step);
  }
  if (all && keepBytes === 0 && filters.size === 0) await job.cacheMounts.clear();
  return {
    CachesDeleted: dropped.length === 0 ? null : dropped.map(({ ID }) => ID),
    // A layer that an image has is still there.
    SpaceReclaimed: dropped.reduce((sum, { Size, Shared }) => sum + (Shared ? 0 : Size), 0),
  };
}

function matchesRecord(filters: Filters, record: BuildCacheRecord): boolean {
  return (
    matchesExactly(filters, 'id', record.ID) &&
    matchesExactly(filters, 'type', record.Type) &&
    matchesExactly(filters, 'description', record.Description) &&
    matchesExactly(filters, 'inuse', String(record.InUse)) &&
    matchesExactly(filters, 'shared', String(record.Shared)) &&
    matchesExactly(filters, 'private', String(!record.Shared))
  );
}
