/** One entry of `HostConfig.VolumesFrom`, taken apart. */
export interface VolumesFromSpec {
  readonly containerRef: string;
  /** The words after the colon, in order. */
  readonly modes: readonly string[];
}

/** Words that may be said of borrowed mounts, at most one of each kind: where they come from decides on the rest. */
const WORDS: readonly ReadonlySet<string>[] = [new Set(['ro', 'rw']), new Set(['z', 'Z'])];

/** Takes `container[:mode,…]` apart; a container's name has no colon. */
export function parseVolumesFrom(text: string): VolumesFromSpec {
  const at = text.indexOf(':');
  if (at < 0) return { containerRef: text, modes: [] };
  const mode = text.slice(at + 1);
  return { containerRef: text.slice(0, at), modes: mode === '' ? [] : mode.split(',') };
}

/** True where every word of the mode is known, and said once. */
export function hasKnownModes({ modes }: VolumesFromSpec): boolean {
  const counts = WORDS.map((kind) => modes.filter((word) => kind.has(word)).length);
  return (
    counts.every((count) => count <= 1) && counts.reduce((sum, count) => sum + count, 0) === modes.length
  );
}
