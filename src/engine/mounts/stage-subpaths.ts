import { basename } from 'node:path';
import type { ContainerRecord } from '../../state/container.ts';
import type { Job } from '../job.ts';

/** Mounts the parts of volumes that a container is to see, as they are now. InvalidArgument where one is not there. */
export async function stageSubpaths(job: Job, { id, mounts }: ContainerRecord): Promise<void> {
  for (const { name, subpath, hostPath } of mounts) {
    if (subpath === undefined) continue;
    const place = { containerId: id, index: Number(basename(hostPath)) };
    const pinned = await job.binds.pinWithin(job.volumes.hostPath(name), subpath);
    try {
      await job.binds.clearPlace(place);
      await job.binds.stage(pinned, { ...place, isRecursive: false });
    } finally {
      pinned.close();
    }
  }
}
