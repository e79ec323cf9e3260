/** What one pull of the job has cost. */
export interface PullEntry {
  readonly image: string;
  readonly digest: string;
  /** `hit`: nothing of the image came over the network; `miss`: all of it did. */
  readonly cache: 'hit' | 'partial' | 'miss';
  /** Bytes of layers and configurations that came over the network. */
  readonly networkBytes: number;
  readonly durationMs: number;
}

/** All pulls of the job in numbers. */
export interface PullTotals {
  readonly hit: number;
  readonly partial: number;
  readonly miss: number;
  readonly networkBytes: number;
}

/** The pulls of a job, for its report. */
export interface PullLog {
  add(entry: PullEntry): void;
  /** The last ones, oldest first. */
  recent(): readonly PullEntry[];
  totals(): PullTotals;
}

const MAX_RECENT = 100;

/** Makes an empty log of pulls. */
export function createPullLog(): PullLog {
  const recent: PullEntry[] = [];
  const totals = { hit: 0, partial: 0, miss: 0, networkBytes: 0 };
  return {
    add(entry) {
      totals[entry.cache] += 1;
      totals.networkBytes += entry.networkBytes;
      recent.push(entry);
      if (recent.length > MAX_RECENT) recent.shift();
    },
    recent: () => [...recent],
    totals: () => ({ ...totals }),
  };
}
