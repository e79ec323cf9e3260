import type { ContainerMount } from '../../state/container.ts';
import type { MountRequest } from '../../wire/host-config.ts';

/** Mounts that are there for a container. */
export interface PreparedMounts {
  readonly mounts: readonly ContainerMount[];
  readonly tmpfs: readonly MountRequest[];
  /** `NAME=secret`. */
  readonly env: readonly string[];
}

/** A file of the host at a place of the step's. */
export function oneMount(
  destination: string,
  { hostPath, isReadWrite }: Pick<ContainerMount, 'hostPath' | 'isReadWrite'>,
): PreparedMounts {
  const mount: ContainerMount = {
    type: 'bind',
    name: '',
    shownSource: '',
    hostPath,
    destination,
    isReadWrite,
    mode: '',
    propagation: 'rprivate',
    isAnonymous: false,
  };
  return { mounts: [mount], tmpfs: [], env: [] };
}
