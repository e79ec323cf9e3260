import type { ImageCache } from '../../src/state/image-cache.ts';

/** A cache that keeps nothing. */
export function createNoCache(): ImageCache {
  return {
    keep: () => Promise.resolve(),
    noteUses: () => Promise.resolve(),
    makeRoom: () => Promise.resolve(0),
  };
}
