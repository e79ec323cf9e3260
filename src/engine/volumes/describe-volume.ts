import type { VolumeRecord } from '../../state/volume-store.ts';
import type { Volume } from '../../wire/volume.ts';

/** A volume's path as clients know it from dockerd; where its files are on the host is not theirs to see. */
export function shownMountpoint(name: string): string {
  return `/var/lib/docker/volumes/${name}/_data`;
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
