import type { VolumesPruned } from '../../wire/volume.ts';
import { booleanFilter, checkFilterNames, matchesLabels, type Filters } from '../filters.ts';
import type { Job } from '../job.ts';
import { deleteVolume } from './remove-volume.ts';
import { volumeUsers } from './volume-users.ts';

/** How `POST /volumes/prune` asks. */
export interface PruneVolumesOptions {
  readonly filters: Filters;
  /** True from API 1.42 on: named volumes go only with the filter `all=true`, which older versions do not know. */
  readonly sparesNamed: boolean;
}

/** `POST /volumes/prune`: removes volumes that no container has mounted. */
export async function pruneVolumes(
  job: Job,
  { filters, sparesNamed }: PruneVolumesOptions,
): Promise<VolumesPruned> {
  const onlyAnonymous = choosesAnonymous(filters, sparesNamed);
  const prunable = job.volumes
    .list()
    .filter((record) => (record.isAnonymous || !onlyAnonymous) && matchesLabels(filters, record.labels));
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const { name } of prunable) {
    await job.volumes.lock.run(name, async () => {
      if (!job.volumes.get(name) || volumeUsers(job, name).length > 0) return;
      const sizeBytes = await job.volumes.measure(name);
      await deleteVolume(job, name);
      deleted.push(name);
      reclaimed += sizeBytes;
    });
  }
  job.events.emit({
    type: 'volume',
    action: 'prune',
    actorId: '',
    attributes: { reclaimed: String(reclaimed) },
  });
  return { VolumesDeleted: deleted, SpaceReclaimed: reclaimed };
}

/** Throws for filters that `POST /volumes/prune` refuses; true where only volumes without a name are meant. */
export function choosesAnonymous(filters: Filters, sparesNamed: boolean): boolean {
  checkFilterNames(filters, ['label', 'label!', ...(sparesNamed ? ['all'] : [])]);
  return sparesNamed && booleanFilter(filters, 'all') !== true;
}
