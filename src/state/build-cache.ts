import type { ImageLayer } from './image-store.ts';

/** What a step of a build came to, to be found again by all that it depended on. */
export interface CachedStep {
  /** Hex digest of everything that the result depends on, earlier steps included. */
  readonly key: string;
  /** The layers that it was made on: its own is good on no others. */
  readonly parentChainId: string;
  /** As history shows the step. */
  readonly description: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Undefined for a step that changed no file. */
  readonly layer: ImageLayer | undefined;
}

/** A cached step with its uses. */
export interface CacheEntry extends CachedStep {
  readonly lastUsedMs: number;
  readonly uses: number;
}

/** Steps of builds that need not be carried out again. */
export interface BuildCache {
  /** The step, counted as used; undefined where there is none, or where its parent is not on the same layers. */
  find(key: string, parentChainId: string): CachedStep | undefined;
  add(step: CachedStep): void;
  /** The one that was not used for the longest time first. */
  list(): readonly CacheEntry[];
  /** False where it was gone already. */
  remove(key: string): boolean;
}

/** Makes an empty cache. */
export function createBuildCache(now: () => number): BuildCache {
  const entries = new Map<string, CacheEntry>();
  return {
    find(key, parentChainId) {
      const entry = entries.get(key);
      if (entry?.parentChainId !== parentChainId) return undefined;
      // At the end of the map: what was used last goes last.
      entries.delete(key);
      entries.set(key, { ...entry, lastUsedMs: now(), uses: entry.uses + 1 });
      return entry;
    },
    add(step) {
      entries.delete(step.key);
      entries.set(step.key, { ...step, lastUsedMs: now(), uses: 0 });
    },
    list: () => [...entries.values()],
    remove: (key) => entries.delete(key),
  };
}
