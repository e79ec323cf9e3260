import type { Job } from '../job.ts';

/** Ids of the containers, running or not, that a volume is mounted in or being mounted for. */
export function volumeUsers(job: Pick<Job, 'containers' | 'volumes'>, name: string): readonly string[] {
  const mountedIn = job.containers
    .all()
    .filter(
      ({ record, isLeavingVolumes }) =>
        !isLeavingVolumes && record.mounts.some((mount) => mount.type === 'volume' && mount.name === name),
    );
  return [...new Set([...mountedIn.map(({ id }) => id), ...job.volumes.heldBy(name)])];
}
