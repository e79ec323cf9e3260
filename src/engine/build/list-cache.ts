import type { BuildCacheRecord } from '../../wire/build-cache.ts';
import type { Job } from '../job.ts';

/** The build cache that the job sees, steps and cache mounts: the one that was not used for the longest time first. */
export async function listCache(job: Job): Promise<readonly BuildCacheRecord[]> {
  const records = [...listSteps(job), ...(await listMounts(job))];
  return records.sort((a, b) => Date.parse(a.LastUsedAt) - Date.parse(b.LastUsedAt));
}

function listSteps({ buildCache, images }: Job): readonly BuildCacheRecord[] {
  const inImages = new Set(images.list().flatMap(({ layers }) => layers.map(({ chainId }) => chainId)));
  return buildCache.list().map(({ key, description, layer, createdAt, lastUsedMs, uses }) => ({
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

async function listMounts({ cacheMounts }: Job): Promise<readonly BuildCacheRecord[]> {
  return (await cacheMounts.list()).map((mount) => ({
    ID: mount.name,
    Type: 'exec.cachemount',
    Description: mount.description,
    InUse: mount.isInUse,
    Shared: false,
    Size: mount.sizeBytes,
    CreatedAt: new Date(mount.createdAtMs).toISOString(),
    LastUsedAt: new Date(mount.lastUsedMs).toISOString(),
    UsageCount: 0,
  }));
}
