import type { VolumeList } from '../../wire/volume.ts';
import {
  booleanFilter,
  checkFilterNames,
  matchesExactly,
  matchesLabels,
  matchesPattern,
  type Filters,
} from '../filters.ts';
import type { Job } from '../job.ts';
import { describeVolume } from './describe-volume.ts';
import { volumeUsers } from './volume-users.ts';

/** `GET /volumes`; dangling are those that no container has mounted, running or not. */
export function listVolumes(job: Job, filters: Filters): VolumeList {
  const isDangling = checkVolumeFilters(filters);
  const volumes = job.volumes
    .list()
    .filter(
      (record) =>
        matchesPattern(filters, 'name', record.name) &&
        matchesExactly(filters, 'driver', 'local') &&
        matchesLabels(filters, record.labels) &&
        (isDangling === undefined || isDangling === (volumeUsers(job, record.name).length === 0)),
    );
  return { Volumes: volumes.map(describeVolume), Warnings: null };
}

/** Filters of `GET /volumes`. */
export const VOLUME_FILTERS = ['dangling', 'driver', 'label', 'name'];

/** Throws for filters that `GET /volumes` refuses; answers what is asked of `dangling`. */
export function checkVolumeFilters(filters: Filters): boolean | undefined {
  checkFilterNames(filters, VOLUME_FILTERS);
  return booleanFilter(filters, 'dangling');
}
