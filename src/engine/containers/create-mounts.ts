import type { Mount } from '../../containerd/types.ts';
import type { CleanupStack } from '../../lib/cleanup-stack.ts';
import type { ContainerMount } from '../../state/container.ts';
import type { CreateRequest } from '../../wire/create-request.ts';
import type { Job } from '../job.ts';
import { acquireVolume, type AcquiredVolume } from '../volumes/acquire-volume.ts';
import { copyUpVolume } from '../volumes/copy-up-volume.ts';
import { stageBinds } from '../mounts/stage-binds.ts';
import { planVolumes, type PlannedVolume } from './plan-volumes.ts';

/** The mounts of a container that is being made. */
export interface CreatedMounts {
  readonly mounts: readonly ContainerMount[];
  /** Fills new volumes with what the image has at their place. */
  fill(rootMounts: readonly Mount[]): Promise<void>;
  /** To be called when the container is in the store. */
  release(): void;
}

/** Takes the volumes of a request into use and stages its binds; `undo` gives all of it back. */
export async function createMounts(
  job: Job,
  making: { readonly containerId: string; readonly request: CreateRequest; readonly undo: CleanupStack },
): Promise<CreatedMounts> {
  const binds = await stageBinds(job, { ...making, hostConfig: making.request.hostConfig });
  const taken: { readonly planned: PlannedVolume; readonly volume: AcquiredVolume }[] = [];
  for (const planned of planVolumes(making.request)) {
    const { name, labels } = planned;
    const volume = await acquireVolume(job, { containerId: making.containerId, name, labels });
    making.undo.defer('volume', () => volume.discard());
    taken.push({ planned, volume });
  }
  return {
    mounts: [
      ...taken.map(({ planned, volume }) => volumeMount(planned, volume)),
      ...binds,
      ...tmpfsMounts(making.request),
    ],
    async fill(rootMounts) {
      for (const { planned, volume } of taken)
        if (!planned.noCopy)
          await copyUpVolume(job, { volumeName: volume.name, rootMounts, destination: planned.destination });
    },
    release() {
      for (const { volume } of taken) volume.release();
    },
  };
}

function volumeMount(planned: PlannedVolume, volume: AcquiredVolume): ContainerMount {
  return {
    type: 'volume',
    name: volume.name,
    shownSource: `/var/lib/docker/volumes/${volume.name}/_data`,
    hostPath: volume.hostPath,
    destination: planned.destination,
    isReadWrite: !planned.isReadOnly,
    mode: planned.mode,
    propagation: '',
    isAnonymous: volume.isAnonymous,
  };
}

/** As dockerd, `inspect` lists what `--mount type=tmpfs` made, and not what `--tmpfs` did. */
function tmpfsMounts({ hostConfig }: CreateRequest): readonly ContainerMount[] {
  return (hostConfig.Mounts ?? [])
    .filter(({ Type: type }) => type === 'tmpfs')
    .map((mount) => ({
      type: 'tmpfs',
      name: '',
      shownSource: '',
      hostPath: '',
      destination: mount.Target ?? '',
      isReadWrite: !(mount.ReadOnly ?? false),
      mode: '',
      propagation: '',
      isAnonymous: false,
    }));
}
