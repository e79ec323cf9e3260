import type { CallScope, Channel } from './channel.ts';
import { toDescriptor } from './convert.ts';
import type { Diff } from './types-store.ts';

/** Diff service. */
export function createDiff(channel: Channel, scope: CallScope): Diff {
  const caller = channel.caller('diff', scope);
  return {
    async apply(diff, mounts, signal) {
      return toDescriptor((await caller.unary('Apply', { diff, mounts }, { signal })).applied);
    },
    async diff(request) {
      return toDescriptor((await caller.unary('Diff', request)).diff);
    },
  };
}
