import type { CleanupStack } from '../../lib/cleanup-stack.ts';
import type { StagePlace } from '../../rootfs/types-binds.ts';
import type { Job } from '../job.ts';

/** Hands out the places of a container that is being made, each one once. */
export interface StagePlaces {
  take(): StagePlace;
}

/** The places of a new container; with `undo`, all that was staged there goes. */
export function takeStagePlaces(job: Job, containerId: string, undo: CleanupStack): StagePlaces {
  let index = 0;
  return {
    take() {
      if (index === 0) undo.defer('staged mounts', () => job.binds.unstage(containerId));
      index += 1;
      return { containerId, index: index - 1 };
    },
  };
}
