import { isErrorKind, ShapeError } from '../../errors.ts';
import type { DiskUsage, VolumeUsage } from '../../wire/disk-usage.ts';
import type { ImageSummary } from '../../wire/image-summary.ts';
import { listCache } from '../build/list-cache.ts';
import { listContainers } from '../containers/list-containers.ts';
import { layersSize } from '../images/layers-size.ts';
import { listImages } from '../images/list-images.ts';
import type { Job } from '../job.ts';
import { describeVolume } from '../volumes/describe-volume.ts';
import { volumeUsers } from '../volumes/volume-users.ts';

const KINDS = ['container', 'image', 'volume', 'build-cache'];

/** `GET /system/df`: what the job's own objects take; no kinds stand for all. */
export async function diskUsage(job: Job, kinds: readonly string[]): Promise<DiskUsage> {
  checkUsageKinds(kinds);
  const isAsked = (kind: string): boolean => kinds.length === 0 || kinds.includes(kind);
  const [containers, volumes, cache] = await Promise.all([
    isAsked('container') ? listContainers(job, ALL_CONTAINERS) : null,
    isAsked('volume') ? measureVolumes(job) : null,
    isAsked('build-cache') ? listCache(job) : null,
  ]);
  return {
    LayersSize: isAsked('image') ? layersSize(job) : 0,
    Images: isAsked('image') ? imagesInUse(job) : null,
    Containers: containers,
    Volumes: volumes,
    BuildCache: cache,
  };
}

/** Throws for a kind of things that `GET /system/df` does not know. */
export function checkUsageKinds(kinds: readonly string[]): void {
  for (const kind of kinds) if (!KINDS.includes(kind)) throw new ShapeError(`unknown object type: ${kind}`);
}

const ALL_CONTAINERS = { all: true, limit: 0, includeSize: true, filters: new Map() } as const;

function imagesInUse(job: Job): readonly ImageSummary[] {
  const users = job.containers.list().map(({ record }) => record.imageId);
  return listImages(job, { filters: new Map(), sharedSize: true }).map((summary) => ({
    ...summary,
    Containers: users.filter((imageId) => imageId === summary.Id).length,
  }));
}

async function measureVolumes(job: Job): Promise<readonly VolumeUsage[]> {
  const usages: VolumeUsage[] = [];
  for (const record of job.volumes.list()) {
    const size = await measureUnlessGone(job, record.name);
    if (size === undefined) continue;
    const users = volumeUsers(job, record.name).length;
    usages.push({ ...describeVolume(record), UsageData: { Size: size, RefCount: users } });
  }
  return usages;
}

async function measureUnlessGone(job: Job, name: string): Promise<number | undefined> {
  try {
    return await job.volumes.measure(name);
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}
