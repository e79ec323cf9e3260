import { basename } from 'node:path';
import type { PinnedSource } from '../../rootfs/types-binds.ts';
import type { ContainerMount, ContainerRecord } from '../../state/container.ts';
import type { Job } from '../job.ts';

/** Mounts the parts of volumes that a container is to see, as they are now. InvalidArgument where one is not there. */
export async function stageSubpaths(job: Job, { id, mounts }: ContainerRecord): Promise<void> {
  for (const mount of mounts) await stageSubpath(job, id, mount);
}

/** The same of one mount; undefined where that is all of a volume, or none. Answers what the part is. */
export async function stageSubpath(
  job: Job,
  containerId: string,
  { name, subpath, hostPath }: ContainerMount,
): Promise<PinnedSource['kind'] | undefined> {
  if (subpath === undefined) return undefined;
  const place = { containerId, index: Number(basename(hostPath)) };
  const pinned = await job.binds.pinWithin(job.volumes.hostPath(name), subpath);
  try {
    await job.binds.clearPlace(place);
    await job.binds.stage(pinned, { ...place, isRecursive: false });
    return pinned.kind;
  } finally {
    pinned.close();
  }
}
