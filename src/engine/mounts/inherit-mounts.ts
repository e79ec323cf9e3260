import { EngineError } from '../../errors.ts';
import { parseVolumesFrom, type VolumesFromSpec } from '../../policy/volumes-from-spec.ts';
import type { ContainerMount } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { holdVolume, type AcquiredVolume } from '../volumes/acquire-volume.ts';
import type { StagePlaces } from './stage-places.ts';

/** What of other containers' mounts a new one gets. */
export interface Inheriting {
  readonly containerId: string;
  readonly volumesFrom: readonly string[];
  /** Cleaned paths at which the container has mounts of its own: those stand in for the others'. */
  readonly taken: ReadonlySet<string>;
  readonly places: StagePlaces;
  /** Told of each volume as soon as it is in use. */
  readonly onVolume: (volume: AcquiredVolume) => void;
}

/** The mounts of the containers that `volumes-from` names: the later one wins, and none is writable that was not. */
export async function inheritMounts(job: Job, inheriting: Inheriting): Promise<readonly ContainerMount[]> {
  const found = new Map<string, ContainerMount>();
  for (const text of inheriting.volumesFrom) {
    const spec = parseVolumesFrom(text);
    for (const mount of await takeMounts(job, spec, inheriting)) found.set(mount.destination, mount);
  }
  return [...found.values()];
}

async function takeMounts(
  job: Job,
  { containerRef, modes }: VolumesFromSpec,
  inheriting: Inheriting,
): Promise<readonly ContainerMount[]> {
  const source = job.containers.resolve(containerRef);
  return job.containers.lock.run(source.id, async () => {
    const taken: ContainerMount[] = [];
    for (const mount of source.record.mounts) {
      if (inheriting.taken.has(mount.destination)) continue;
      const isReadWrite = mount.isReadWrite && !modes.includes('ro');
      taken.push({ ...mount, isReadWrite, hostPath: await takeMount(job, mount, inheriting) });
    }
    // The mark comes before anything is taken away: without it, all of this was still whole.
    if (source.isRemoving) throw new EngineError('NotFound', `No such container: ${containerRef}`);
    return taken;
  });
}

/** Takes one mount into use for the new container; answers its path on the host. */
async function takeMount(job: Job, mount: ContainerMount, inheriting: Inheriting): Promise<string> {
  const { places } = inheriting;
  if (mount.type === 'tmpfs' || mount.hostPath === job.binds.socketPath) return mount.hostPath;
  if (mount.type === 'volume') {
    const { containerId } = inheriting;
    const volume = await holdVolume(job, { containerId, name: mount.name });
    inheriting.onVolume(volume);
    if (!volume.bind) return mount.subpath === undefined ? volume.hostPath : job.binds.placeOf(places.take());
  }
  // The other container's staging goes with it, so this one gets its own.
  const pinned = await job.binds.pinWithin(mount.hostPath, '');
  try {
    return await job.binds.stage(pinned, { ...places.take(), isRecursive: true });
  } finally {
    pinned.close();
  }
}
