import { isReadOnlyBind, parseBind } from '../../policy/bind-spec.ts';
import { cleanPath } from '../../policy/mount-point.ts';
import type { HostConfig, MountRequest } from '../../wire/host-config.ts';

/** A bind mount that a request asks for. */
export interface PlannedBind {
  /** Absolute and clean, as the job sees it. */
  readonly source: string;
  readonly destination: string;
  readonly isReadOnly: boolean;
  /** Without what is mounted below the source. */
  readonly isRecursive: boolean;
  /** True where read-only must hold for what is mounted below too, or the request fails. */
  readonly mustLockBelow: boolean;
  /** A missing source is made a directory. */
  readonly createsSource: boolean;
  /** The words the user wrote, for inspect. */
  readonly mode: string;
  readonly propagation: 'private' | 'rprivate';
}

/** Bind mounts of a request that the gate has let through: those of `-v`, then those of `--mount`. */
export function planBinds({ Binds: binds, Mounts: mounts }: HostConfig): readonly PlannedBind[] {
  return [
    ...(binds ?? []).flatMap(planBind),
    ...(mounts ?? []).filter(({ Type: type }) => type === 'bind').map(planMount),
  ];
}

function planBind(text: string): readonly PlannedBind[] {
  const bind = parseBind(text);
  if (!bind?.source.startsWith('/')) return [];
  return [
    {
      source: cleanPath(bind.source),
      destination: cleanPath(bind.target),
      isReadOnly: isReadOnlyBind(bind),
      isRecursive: true,
      mustLockBelow: false,
      createsSource: true,
      mode: bind.modes.join(','),
      propagation: bind.modes.includes('private') ? 'private' : 'rprivate',
    },
  ];
}

function planMount(mount: MountRequest): PlannedBind {
  const { Source: source = '', Target: target = '', ReadOnly: isReadOnly = false } = mount;
  const options = mount.BindOptions ?? {};
  return {
    source: cleanPath(source),
    destination: cleanPath(target),
    isReadOnly,
    isRecursive: !(options.NonRecursive ?? false),
    mustLockBelow: options.ReadOnlyForceRecursive ?? false,
    createsSource: options.CreateMountpoint ?? false,
    mode: '',
    propagation: options.Propagation === 'private' ? 'private' : 'rprivate',
  };
}
