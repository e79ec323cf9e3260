import type { Mount } from '../../containerd/types.ts';
import { EngineError, isErrorKind } from '../../errors.ts';
import type { CleanupStack } from '../../lib/cleanup-stack.ts';
import { tmpfsOptionsOf } from '../../oci/mounts.ts';
import type { ContainerMount } from '../../state/container.ts';
import type { CreateRequest } from '../../wire/create-request.ts';
import type { Job } from '../job.ts';
import { inheritMounts } from '../mounts/inherit-mounts.ts';
import { stageBinds, stageVolumeBind } from '../mounts/stage-binds.ts';
import { stageImages } from '../mounts/stage-images.ts';
import { stageSubpath } from '../mounts/stage-subpaths.ts';
import { takeStagePlaces, type StagePlaces } from '../mounts/stage-places.ts';
import { acquireVolume, type AcquiredVolume } from '../volumes/acquire-volume.ts';
import { copyUpVolume } from '../volumes/copy-up-volume.ts';
import { shownMountpoint } from '../volumes/describe-volume.ts';
import { askedDestinations, planOwnVolumes, planVolumes, type PlannedVolume } from './plan-volumes.ts';

/** The mounts of a container that is being made. */
export interface CreatedMounts {
  readonly mounts: readonly ContainerMount[];
  /** Fills new volumes with what the image has at their place. */
  fill(rootMounts: readonly Mount[]): Promise<void>;
  /** To be called when the container is in the store. */
  release(): void;
}

/** A container whose mounts are made; `undo` gives all of it back. */
interface MountMaking {
  readonly containerId: string;
  readonly request: CreateRequest;
  readonly undo: CleanupStack;
}

interface TakenVolume {
  readonly planned: PlannedVolume;
  readonly volume: AcquiredVolume;
  readonly hostPath: string;
}

/** Takes the volumes of a request into use and stages its binds and images, and what it has from other containers. */
export async function createMounts(job: Job, making: MountMaking): Promise<CreatedMounts> {
  const { containerId, request, undo } = making;
  const { hostConfig } = request;
  const places = takeStagePlaces(job, containerId, undo);
  const asked = askedDestinations(request);
  const held: AcquiredVolume[] = [];
  const keep = (volume: AcquiredVolume): void => {
    undo.defer('volume', () => volume.discard());
    held.push(volume);
  };
  const inherited = await inheritMounts(job, {
    containerId,
    volumesFrom: hostConfig.VolumesFrom ?? [],
    taken: asked,
    places,
    onVolume: keep,
  });
  const binds = await stageBinds(job, { hostConfig, places });
  const images = await stageImages(job, { containerId, hostConfig, places, undo });
  const inUse = new Set([...asked, ...inherited.map(({ destination }) => destination)]);
  const taken: TakenVolume[] = [];
  for (const planned of [...planVolumes(request), ...planOwnVolumes(request, inUse)]) {
    const { name, labels } = planned;
    const volume = await acquireVolume(job, { containerId, name, labels });
    keep(volume);
    taken.push({ planned, volume, hostPath: await placeVolume(job, { planned, volume }, places) });
  }
  return {
    mounts: [...taken.map(volumeMount), ...binds, ...images, ...tmpfsMounts(request), ...inherited],
    fill: (rootMounts) => fillVolumes(job, taken, { containerId, rootMounts }),
    release() {
      for (const volume of held) volume.release();
    },
  };
}

async function fillVolumes(
  job: Job,
  taken: readonly TakenVolume[],
  { containerId, rootMounts }: { readonly containerId: string; readonly rootMounts: readonly Mount[] },
): Promise<void> {
  for (const one of taken) {
    if (one.planned.noCopy || one.volume.bind) continue;
    const mount = volumeMount(one);
    const { name: volumeName, destination } = mount;
    if (mount.subpath === undefined) await copyUpVolume(job, { volumeName, rootMounts, destination });
    else if (await isDirectory(job, containerId, mount))
      await copyUpVolume(job, { volumeName, part: mount.hostPath, rootMounts, destination });
  }
}

/** Mounts the part of a volume where it is a directory; one that is not there is the start's error. */
async function isDirectory(job: Job, containerId: string, mount: ContainerMount): Promise<boolean> {
  try {
    return (await stageSubpath(job, containerId, mount)) === 'directory';
  } catch (error) {
    if (isErrorKind(error, 'NotFound') || isErrorKind(error, 'InvalidArgument')) return false;
    throw error;
  }
}

/** Path on the host of what is mounted: the volume's files, a part of them, or the directory that it stands for. */
async function placeVolume(
  job: Job,
  { planned: { subpath }, volume: { bind, hostPath } }: Omit<TakenVolume, 'hostPath'>,
  places: StagePlaces,
): Promise<string> {
  if (!bind) return subpath === '' ? hostPath : job.binds.placeOf(places.take());
  if (subpath !== '')
    throw new EngineError(
      'NotImplemented',
      'a volume that stands for another directory has no volume-subpath',
    );
  return stageVolumeBind(job, bind, places);
}

function volumeMount({ planned, volume, hostPath }: TakenVolume): ContainerMount {
  const { subpath } = planned;
  return {
    type: 'volume',
    name: volume.name,
    shownSource: shownMountpoint(volume.name),
    hostPath,
    destination: planned.destination,
    isReadWrite: !planned.isReadOnly && volume.bind?.isReadOnly !== true,
    mode: planned.mode,
    propagation: '',
    isAnonymous: volume.isAnonymous,
    ...(subpath === '' ? {} : { subpath }),
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
      tmpfsOptions: tmpfsOptionsOf(mount),
    }));
}
