import type { BuildCachePruned, BuildCacheRecord } from '../../wire/build-cache.ts';
import { checkFilterNames, matchesExactly, untilFilter, type Filters } from '../filters.ts';
import type { Job } from '../job.ts';
import { dropStep } from './keep-step.ts';
import { listCache } from './list-cache.ts';

/** How `docker builder prune` asks. */
export interface PruneCacheOptions {
  /** Those that images share layers with, too. */
  readonly all: boolean;
  /** Bytes of what was used last that stay; 0: none. */
  readonly keepBytes: number;
  readonly filters: Filters;
  /** Of those that the filters choose only these. */
  readonly isChosen?: (record: BuildCacheRecord) => boolean;
}

const NS_PER_MS = 1_000_000n;
const FIELDS = ['id', 'type', 'description', 'inuse', 'shared', 'private'];
// As in dockerd, `docker system prune` sends its own labels here, and they choose nothing.
const FILTERS = ['until', 'unused-for', 'label', 'label!', ...FIELDS];

/** `POST /build/prune`: what was not used for the longest time goes first; what a step has just now stays. */
export async function pruneCache(job: Job, options: PruneCacheOptions): Promise<BuildCachePruned> {
  const dropped = await pruneRecords(job, options);
  // A layer that an image has is still there.
  const reclaimed = dropped.reduce((sum, { Size, Shared }) => sum + (Shared ? 0 : Size), 0);
  job.events.emit({
    type: 'builder',
    action: 'prune',
    actorId: '',
    attributes: { reclaimed: String(reclaimed) },
  });
  return {
    CachesDeleted: dropped.length === 0 ? null : dropped.map(({ ID }) => ID),
    SpaceReclaimed: reclaimed,
  };
}

/** As pruneCache; answers what is gone. */
export async function pruneRecords(
  job: Job,
  options: PruneCacheOptions,
): Promise<readonly BuildCacheRecord[]> {
  const { all, keepBytes, filters, isChosen = () => true } = options;
  const untilNs = cachePruneFilters(filters, job.nowNs());
  const isAsked = (record: BuildCacheRecord): boolean =>
    (all || !record.Shared) &&
    matchesRecord(filters, record) &&
    isChosen(record) &&
    (untilNs === undefined || BigInt(Date.parse(record.LastUsedAt)) * NS_PER_MS <= untilNs);
  await job.buildCache.load();
  return dropOldest(job, isAsked, keepBytes);
}

/** Throws for filters that a prune of the cache refuses; answers the moment of `until`, under either of its names. */
export function cachePruneFilters(filters: Filters, nowNs: bigint): bigint | undefined {
  checkFilterNames(filters, FILTERS);
  const until = filters.get('until') ?? filters.get('unused-for');
  return untilFilter(until ? new Map([['until', until]]) : new Map(), nowNs);
}

/** Keeps the cache to the size that the operator has set, after a build. */
export async function trimCache(job: Job): Promise<void> {
  const dropped = await dropOldest(job, () => true, job.settings.buildCacheBytes);
  if (dropped.length === 0) return;
  job.log.info({ steps: dropped.length, maxBytes: job.settings.buildCacheBytes }, 'build cache cut');
}

async function dropOldest(
  job: Job,
  isAsked: (record: BuildCacheRecord) => boolean,
  keepBytes: number,
): Promise<readonly BuildCacheRecord[]> {
  const records = await listCache(job);
  const steps = new Map(job.buildCache.list().map((step) => [step.key, step]));
  let size = records.reduce((sum, { Size }) => sum + Size, 0);
  const dropped: BuildCacheRecord[] = [];
  for (const record of records.filter(isAsked)) {
    if (keepBytes > 0 && size <= keepBytes) break;
    const step = steps.get(record.ID);
    if (step) await dropStep(job, step);
    else if (!(await job.cacheMounts.remove(record.ID))) continue;
    size -= record.Size;
    dropped.push(record);
  }
  return dropped;
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
