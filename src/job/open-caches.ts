import { statfs } from 'node:fs/promises';
import type { Settings } from '../config/schema.ts';
import { IMAGE_NAMESPACE } from '../containerd/job-store.ts';
import type { Containerd } from '../containerd/types.ts';
import type { Logger } from '../logger.ts';
import { createBuildCache, type BuildCache } from '../state/build-cache.ts';
import { createImageCache, type ImageCache } from '../state/image-cache.ts';

const DEFAULT_SCOPE = 'default';

/** What a cache is opened with. */
export interface ImageCacheParts {
  readonly settings: Settings;
  readonly containerd: Containerd;
  /** True for berth's own containerd; another one is left as it was, unless an owner is named. */
  readonly isEmbedded: boolean;
  readonly log: Logger;
}

/** What is kept on the disk of this containerd for later jobs. */
export function openCaches(parts: ImageCacheParts): {
  readonly cache: ImageCache;
  readonly buildCache: BuildCache;
} {
  return { cache: openImageCache(parts), buildCache: openBuildCache(parts) };
}

/** The cache of pulled images. */
function openImageCache({ settings, containerd, isEmbedded, log }: ImageCacheParts): ImageCache {
  let directory: Promise<string> | undefined;
  return createImageCache({
    images: containerd.inNamespace(IMAGE_NAMESPACE).images,
    scope: settings.cacheScope ?? (isEmbedded ? DEFAULT_SCOPE : ''),
    highPercent: settings.cacheHighPercent,
    lowPercent: settings.cacheLowPercent,
    async usedPercent() {
      directory ??= findDirectory(containerd);
      return usedPercentOf(await directory);
    },
    nowMs: Date.now,
    log,
  });
}

/** How full the disk is that the directory is on, as df says it. */
export async function usedPercentOf(directory: string): Promise<number> {
  const { blocks, bavail, bfree } = await statfs(directory);
  const usable = blocks - bfree + bavail;
  return usable === 0 ? 0 : ((blocks - bfree) / usable) * 100;
}

/** The cache of build steps: shared between jobs only where an owner is named, for a step's result is its maker's word. */
function openBuildCache({ settings, containerd }: ImageCacheParts): BuildCache {
  const scope = settings.cacheScope ?? '';
  if (scope === '') return createBuildCache(Date.now);
  return createBuildCache(Date.now, {
    images: containerd.inNamespace(IMAGE_NAMESPACE).images,
    scope,
    snapshotLabel: `containerd.io/gc.ref.snapshot.${containerd.snapshots.snapshotter}`,
  });
}

/** Where the snapshotter keeps its files: it says so itself. */
async function findDirectory(containerd: Containerd): Promise<string> {
  const plugins = await containerd.introspection.plugins([`id==${containerd.snapshots.snapshotter}`]);
  return plugins.map(({ exports }) => exports['root']).find((root) => root !== undefined) ?? '/';
}
