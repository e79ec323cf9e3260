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
  /** What of the volume is mounted; empty for all of it. */
  readonly subpath: string;
}

/** Volumes that a request names or asks to be made, with `-v` and `--mount`. */
export function planVolumes({ hostConfig }: CreateRequest): readonly PlannedVolume[] {
  return [
    ...(hostConfig.Binds ?? []).flatMap(planBind),
    ...(hostConfig.Mounts ?? []).filter(({ Type: type }) => type === 'volume').map(planMount),
  ];
}

/** Where a request's own mounts go, its image's volumes not among them. */
export function askedDestinations({ hostConfig }: CreateRequest): ReadonlySet<string> {
  return new Set([
    ...(hostConfig.Binds ?? []).flatMap((text) => parseBind(text)?.target ?? []).map(cleanPath),
    ...Object.keys(hostConfig.Tmpfs ?? {}).map(cleanPath),
    ...(hostConfig.Mounts ?? []).map(({ Target: target = '' }) => cleanPath(target)),
  ]);
}

/** The volumes of the image and of `-v /path`: they give way to all other mounts. */
export function planOwnVolumes(
  { config }: CreateRequest,
  taken: ReadonlySet<string>,
): readonly PlannedVolume[] {
  const destinations = new Set(Object.keys(config.Volumes ?? {}).map(cleanPath));
  return [...destinations]
    .filter((destination) => !taken.has(destination))
    .map((destination) => planAnonymous(destination));
}

function planBind(text: string): readonly PlannedVolume[] {
  const bind = parseBind(text);
  if (!bind || bind.source.startsWith('/')) return [];
  return [
    {
      name: bind.source === '' ? undefined : bind.source,
      destination: cleanPath(bind.target),
      isReadOnly: isReadOnlyBind(bind),
      noCopy: bind.modes.includes('nocopy'),
      mode: bind.modes.length === 0 ? 'z' : bind.modes.join(','),
      labels: {},
      subpath: '',
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
    subpath: options?.Subpath ?? '',
  };
}

function planAnonymous(destination: string): PlannedVolume {
  return {
    name: undefined,
    destination,
    isReadOnly: false,
    noCopy: false,
    mode: '',
    labels: {},
    subpath: '',
  };
}
