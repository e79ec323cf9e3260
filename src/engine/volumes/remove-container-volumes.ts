import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { deleteVolume } from './remove-volume.ts';
import { volumeUsers } from './volume-users.ts';

/** Removes the anonymous volumes of a container that goes, but those that another container has mounted too. Idempotent. */
export async function removeContainerVolumes(job: Job, container: Container): Promise<void> {
  // First of all: of containers that share one and go at the same time, the last has to take it along.
  container.isLeavingVolumes = true;
  for (const mount of container.record.mounts) {
    if (mount.type !== 'volume' || !mount.isAnonymous) continue;
    await job.volumes.lock.run(mount.name, async () => {
      const others = volumeUsers(job, mount.name).filter((id) => id !== container.id);
      if (others.length === 0 && job.volumes.get(mount.name)) await deleteVolume(job, mount.name);
    });
  }
}
