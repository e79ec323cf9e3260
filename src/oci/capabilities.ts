import type { OciCapabilities } from './spec-types.ts';

/**
 * The sets of a process that has the given capabilities. Inheritable and ambient are empty: a program without
 * file capabilities must not pass on what its own user may do.
 */
export function capabilitySets(names: readonly string[]): OciCapabilities {
  return { bounding: names, effective: names, permitted: names, inheritable: [], ambient: [] };
}
