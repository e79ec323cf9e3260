import type { BuildCacheRecord } from './build-cache.ts';
import type { ContainerSummary } from './container-summary.ts';
import type { ImageSummary } from './image-summary.ts';
import type { Volume } from './volume.ts';

/** A volume with what it takes. */
export interface VolumeUsage extends Volume {
  readonly UsageData: { readonly Size: number; readonly RefCount: number };
}

/** The answer of `GET /system/df`; null is what was not asked for. */
export interface DiskUsage {
  readonly LayersSize: number;
  readonly Images: readonly ImageSummary[] | null;
  readonly Containers: readonly ContainerSummary[] | null;
  readonly Volumes: readonly VolumeUsage[] | null;
  readonly BuildCache: readonly BuildCacheRecord[] | null;
}
