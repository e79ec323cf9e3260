/** A record of the build cache, as `docker system df -v` lists it. */
export interface BuildCacheRecord {
  readonly ID: string;
  readonly Type: 'regular' | 'exec.cachemount';
  readonly Description: string;
  readonly InUse: boolean;
  /** True where an image has its layer, too. */
  readonly Shared: boolean;
  readonly Size: number;
  readonly CreatedAt: string;
  readonly LastUsedAt: string;
  readonly UsageCount: number;
}

/** The answer of `POST /build/prune`. */
export interface BuildCachePruned {
  readonly CachesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}
