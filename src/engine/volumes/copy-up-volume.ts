import { readdir } from 'node:fs/promises';

import type { Mount } from '../../containerd/types.ts';
import { isErrorKind } from '../../errors.ts';
import type { RootHandle } from '../../rootfs/types.ts';
import type { Job } from '../job.ts';

/** What to copy where. */
export interface CopyUp {
  readonly volumeName: string;
  /** Where the directory of the volume is mounted that the container is to see; absent where it is all of it. */
  readonly part?: string;
  /** The new container's root filesystem, without its volumes. */
  readonly rootMounts: readonly Mount[];
  /** Where in the container the volume will be mounted. */
  readonly destination: string;
}

/**
 * Fills an empty volume, or an empty part of one, with what the image has at its mount point: owners, modes and links
 * kept, none of them followed out of either root. Nothing happens when it has files or the image has no such directory.
 */
export async function copyUpVolume(job: Job, copyUp: CopyUp): Promise<void> {
  const { volumeName, rootMounts, destination } = copyUp;
  const hostPath = copyUp.part ?? job.volumes.hostPath(volumeName);
  await job.volumes.lock.run(volumeName, async () => {
    if ((await readdir(hostPath)).length > 0) return;
    const source = await job.rootfs.openMounts(rootMounts);
    try {
      const target = await job.rootfs.openMounts([
        { type: 'bind', source: hostPath, target: '', options: ['rbind', 'rw'] },
      ]);
      try {
        await copyDirectory(job, { source, destination, target });
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
  });
}

async function copyDirectory(
  job: Job,
  copy: { readonly source: RootHandle; readonly destination: string; readonly target: RootHandle },
): Promise<void> {
  try {
    const { tar } = await job.rootfs.readArchive(copy.source, `${copy.destination}/.`, job.signal);
    await job.rootfs.writeArchive({ root: copy.target, path: '/' }, tar, {
      noOverwriteDirNonDir: false,
      copyUidGid: true,
      signal: job.signal,
    });
    const { source, target, destination: path } = copy;
    await job.rootfs.copyAttributes({ root: source, path }, { root: target, path: '/' });
  } catch (error) {
    if (!isErrorKind(error, 'NotFound')) throw error;
  }
}
