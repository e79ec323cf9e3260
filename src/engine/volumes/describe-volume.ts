import type { VolumeRecord } from '../../state/volume-store.ts';
import type { Volume } from '../../wire/volume.ts';

/** Where clients expect a dockerd to keep what it has; berth's own directories are not shown. */
export const SHOWN_ROOT = '/var/lib/docker';

/** A volume's path as clients know it from dockerd; where its files are on the host is not theirs to see. */
export function shownMountpoint(name: string): string {
  return `${SHOWN_ROOT}/volumes/${name}/_data`;
}

/** A volume as create, list and inspect show it. */
export function describeVolume(record: VolumeRecord): Volume {
  return {
    CreatedAt: record.createdAt,
    Driver: 'local',
    Labels: record.labels,
    Mountpoint: shownMountpoint(record.name),
    Name: record.name,
    Options: record.driverOpts,
    Scope: 'local',
  };
}
