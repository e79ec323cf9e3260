import type { BuildCacheRecord } from '../../wire/build-cache.ts';
import type { Job } from '../job.ts';

/** The job's build cache, the one that was not used for the longest time first. */
export function listCache(job: Pick<Job, 'buildCache' | 'images'>): readonly BuildCacheRecord[] {
  const inImages = new Set(job.images.list().flatMap(({ layers }) => layers.map(({ chainId }) => chainId)));
  return job.buildCache.list().map(({ key, description, layer, createdAt, lastUsedMs, uses }) => ({
    ID: key,
    Type: 'regular',
    Description: description,
    InUse: false,
    Shared: layer !== undefined && inImages.has(layer.chainId),
    Size: layer?.sizeBytes ?? 0,
    CreatedAt: createdAt,
    LastUsedAt: new Date(lastUsedMs).toISOString(),
    UsageCount: uses,
  }));
}
