import type { ContainerMount } from '../../state/container.ts';
import type { MountPoint } from '../../wire/container-inspect.ts';

/** A container's mount as clients see it: sources are paths of the job, never of the host. */
export function describeMount(mount: ContainerMount): MountPoint {
  return {
    Type: mount.type,
    ...(mount.type === 'volume' || mount.type === 'image' ? { Name: mount.name } : {}),
    Source: mount.shownSource,
    Destination: mount.destination,
    ...(mount.type === 'volume' ? { Driver: 'local' } : {}),
    Mode: mount.mode,
    RW: mount.isReadWrite,
    Propagation: mount.propagation,
  };
}
