import type { Mount } from '../../containerd/types.ts';
import { createDeferred } from '../../lib/deferred.ts';
import type { Container, ContainerRecord } from '../../state/container.ts';

/** A container that does not run, as this process holds it. */
export function newContainer(record: ContainerRecord, rootMounts: readonly Mount[]): Container {
  return {
    id: record.id,
    record,
    run: undefined,
    pendingRestart: undefined,
    restartDelayMs: 0,
    health: undefined,
    healthMonitor: undefined,
    session: undefined,
    rootMounts,
    storedSpec: '',
    execIds: new Set(),
    nextExit: createDeferred(),
    removed: createDeferred(),
    isRemoving: false,
    isLeavingVolumes: false,
    released: Promise.resolve(true),
  };
}
