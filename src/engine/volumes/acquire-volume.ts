import type { VolumeRecord } from '../../state/volume-store.ts';
import { volumeBindOf, type VolumeBind } from '../../policy/volume-bind.ts';
import type { Job } from '../job.ts';
import { findVolume } from './find-volume.ts';
import { deleteVolume } from './remove-volume.ts';
import { makeVolume } from './make-volume.ts';
import { volumeUsers } from './volume-users.ts';

/** A volume taken into use for a container that is being made. */
export interface AcquiredVolume {
  readonly name: string;
  /** Directory on the host with the volume's files. */
  readonly hostPath: string;
  /** What is mounted in place of that directory, where the volume stands for another one. */
  readonly bind: VolumeBind | undefined;
  readonly isAnonymous: boolean;
  /** True when it was made for this container just now. */
  readonly created: boolean;
  /** To be called when the container is in the store with the volume among its mounts. */
  release(): void;
  /** To be called instead when the container was not made: a volume made for it goes too, unless others came to use it. */
  discard(): Promise<void>;
}

/** Which volume a container wants; without a name a new anonymous one. */
export interface VolumeWish {
  readonly containerId: string;
  readonly name: string | undefined;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Finds or makes a volume and keeps it from being removed until `release` or `discard`. */
export async function acquireVolume(job: Job, wish: VolumeWish): Promise<AcquiredVolume> {
  const { name, labels = null, containerId } = wish;
  return makeVolume(job, { name, labels, driverOpts: null }, (record, created) =>
    takeIntoUse(job, record, { containerId, created, isAnonymous: name === undefined }),
  );
}

/** As acquireVolume, for a volume that must be there already; NotFound otherwise. */
export async function holdVolume(
  job: Job,
  { containerId, name }: { readonly containerId: string; readonly name: string },
): Promise<AcquiredVolume> {
  return job.volumes.lock.run(name, () => {
    const record = findVolume(job, name);
    const { isAnonymous } = record;
    return Promise.resolve(takeIntoUse(job, record, { containerId, created: false, isAnonymous }));
  });
}

function takeIntoUse(
  job: Job,
  { name, driverOpts }: VolumeRecord,
  use: { readonly containerId: string; readonly created: boolean; readonly isAnonymous: boolean },
): AcquiredVolume {
  const { created, isAnonymous } = use;
  const release = job.volumes.hold(name, use.containerId);
  return {
    name,
    hostPath: job.volumes.hostPath(name),
    bind: volumeBindOf(driverOpts),
    isAnonymous,
    created,
    release,
    async discard() {
      release();
      if (!created) return;
      await job.volumes.lock.run(name, async () => {
        if (volumeUsers(job, name).length === 0) await deleteVolume(job, name);
      });
    },
  };
}
