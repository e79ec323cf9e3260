import { isReadOnlyBind, parseBind } from '../../policy/bind-spec.ts';
import { cleanPath } from '../../policy/mount-point.ts';
import type { CreateRequest } from '../../wire/create-request.ts';
import type { MountRequest } from '../../wire/host-config.ts';

/** A volume that a request asks for. */
export interface PlannedVolume {
  /** Undefined: a new anonymous one. */
  readonly name: string | undefined;
  readonly destination: string;
  readonly isReadOnly: boolean;
  /** True when the image's files at the destination must not be copied into it. */
  readonly noCopy: boolean;
  /** The words the user wrote, for inspect. */
  readonly mode: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Volumes of a request: `-v`, `--mount`, and the image's own, which give way to all other mounts. */
export function planVolumes({ config, hostConfig }: CreateRequest): readonly PlannedVolume[] {
  const asked = [
    ...(hostConfig.Binds ?? []).flatMap(planBind),
    ...(hostConfig.Mounts ?? []).filter(({ Type: type }) => type === 'volume').map(planMount),
  ];
  const taken = new Set([
    ...(hostConfig.Binds ?? []).flatMap((text) => parseBind(text)?.target ?? []).map(cleanPath),
    ...Object.keys(hostConfig.Tmpfs ?? {}).map(cleanPath),
    ...(hostConfig.Mounts ?? []).map(({ Target: target = '' }) => cleanPath(target)),
  ]);
  const anonymous = Object.keys(config.Volumes ?? {})
    .map(cleanPath)
    .filter((destination) => !taken.has(destination));
  return [...asked, ...anonymous.map((destination) => planAnonymous(destination))];
}

function planBind(text: string): readonly PlannedVolume[] {
  const bind = parseBind(text);
  if (!bind || bind.source.startsWith('/')) return [];
  return [
    {
      name: bind.source,
      destination: cleanPath(bind.target),
      isReadOnly: isReadOnlyBind(bind),
      noCopy: bind.modes.includes('nocopy'),
      mode: bind.modes.join(','),
      labels: {},
    },
  ];
}

function planMount(mount: MountRequest): PlannedVolume {
  const { Source: source = '', Target: target = '', VolumeOptions: options } = mount;
  return {
    name: source === '' ? undefined : source,
    destination: cleanPath(target),
    isReadOnly: mount.ReadOnly ?? false,
    noCopy: options?.NoCopy ?? false,
    mode: 'z',
    labels: options?.Labels ?? {},
  };
}

function planAnonymous(destination: string): PlannedVolume {
  return { name: undefined, destination, isReadOnly: false, noCopy: false, mode: '', labels: {} };
}
