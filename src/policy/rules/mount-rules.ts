import type { BindOptions, HostConfig, MountRequest, VolumeOptions } from '../../wire/host-config.ts';
import { parseBind, type BindSpec } from '../bind-spec.ts';
import { FEATURES } from '../features.ts';
import { cleanPath, MAX_MOUNTS, refuseMountPoint } from '../mount-point.ts';
import { bad, deny, missing, quote, unless, type Finding, type RuleTable } from '../rule.ts';
import { checkTmpfsOptions, cutTmpfsSize } from '../tmpfs-options.ts';
import { asksForVolume, isLocalDriver } from '../volume-driver.ts';
import { hasKnownModes, parseVolumesFrom } from '../volumes-from-spec.ts';

type Fields = 'Binds' | 'Mounts' | 'Tmpfs' | 'VolumesFrom' | 'VolumeDriver';

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;
const SHARING: ReadonlySet<string> = new Set(['shared', 'rshared', 'slave', 'rslave']);
/** At most one word of each kind. */
const BIND_WORDS: readonly ReadonlySet<string>[] = [
  new Set(['ro', 'readonly', 'rw']),
  new Set(['z', 'Z']),
  new Set(['nocopy']),
  new Set(['private', 'rprivate', ...SHARING]),
  new Set(['consistent', 'cached', 'delegated']),
];
const MAX_SUBPATH_LENGTH = 4000;

function unsupported(isSupported: boolean, message: string): readonly Finding[] {
  return unless(isSupported, { kind: 'unsupported', message });
}

function checkVolumeName(name: string): readonly Finding[] {
  return unless(
    VOLUME_NAME.test(name),
    bad(
      `create ${name.slice(0, 200)}: ${quote(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    ),
  );
}

/** `prefix` says of which mount, in dockerd's words. */
function checkTarget(target: string, prefix = ''): readonly Finding[] {
  const refusal = refuseMountPoint(target);
  return refusal === undefined ? [] : [bad(`${prefix}${refusal}`)];
}

function inMount(type: string): string {
  return `invalid mount config for type ${quote(type)}: `;
}

function checkBind(text: string): readonly Finding[] {
  const bind = parseBind(text);
  if (bind === undefined) {
    return [bad(`invalid volume specification: '${text.slice(0, 300)}'`)];
  }
  const type = bind.source.startsWith('/') ? 'bind' : 'volume';
  const prefix = `invalid volume specification: '${text.slice(0, 300)}': ${inMount(type)}`;
  return [...checkBindModes(bind, text), ...checkTarget(bind.target, prefix), ...checkBindSource(bind)];
}

function checkBindModes(bind: BindSpec, text: string): readonly Finding[] {
  const known = BIND_WORDS.map((kind) => bind.modes.filter((word) => kind.has(word)).length);
  const isClear = known.every((count) => count <= 1);
  const areAllKnown = known.reduce((sum, count) => sum + count, 0) === bind.modes.length;
  return [
    ...unless(isClear && areAllKnown, bad(`invalid mode: ${bind.modes.join(',').slice(0, 200)}`)),
    ...(bind.modes.some((word) => SHARING.has(word)) ? [deny(text.slice(0, 300))] : []),
    ...unless(!bind.modes.some((word) => word === 'z' || word === 'Z'), {
      kind: 'warn',
      message: `Files are not relabelled for SELinux: ${text.slice(0, 300)}`,
    }),
  ];
}

function checkBindSource({ source }: BindSpec): readonly Finding[] {
  if (source.startsWith('/')) {
    return unsupported(FEATURES.bindMounts, 'bind mounts are not supported');
  }
  return [
    ...(source === '' ? [] : checkVolumeName(source)),
    ...unsupported(FEATURES.namedVolumes, 'named volumes are not supported'),
  ];
}

function checkMountOptions(mount: MountRequest): readonly Finding[] {
  const options = {
    volume: mount.VolumeOptions,
    bind: mount.BindOptions,
    tmpfs: mount.TmpfsOptions,
    image: mount.ImageOptions,
  };
  const names = {
    volume: 'VolumeOptions',
    bind: 'BindOptions',
    tmpfs: 'TmpfsOptions',
    image: 'ImageOptions',
  } as const;
  const kinds = ['volume', 'bind', 'tmpfs', 'image'] as const;
  return kinds.flatMap((kind) =>
    unless(
      mount.Type === kind || options[kind] === undefined,
      bad(`${names[kind]} must not be specified on mount type ${quote(mount.Type ?? '')}`),
    ),
  );
}

function checkMount(mount: MountRequest): readonly Finding[] {
  const found = [...checkTarget(mount.Target ?? '', inMount(mount.Type ?? '')), ...checkMountOptions(mount)];
  switch (mount.Type) {
    case 'bind':
      return [...found, ...checkBindMount(mount)];
    case 'volume':
      return [...found, ...checkVolumeMount(mount)];
    case 'tmpfs':
      return [...found, ...checkTmpfsMount(mount)];
    case 'image':
      return [...found, ...checkImageMount(mount)];
    default:
      return [bad(`${inMount(mount.Type ?? '')}mount type unknown`)];
  }
}

function checkBindMount(mount: MountRequest): readonly Finding[] {
  const { Propagation: propagation = '', ...options } = mount.BindOptions ?? {};
  const source = mount.Source ?? '';
  return [
    ...unless(
      source.startsWith('/'),
      bad(`${inMount('bind')}${refuseMountPoint(source)?.replace('Target', 'Source') ?? ''}`),
    ),
    ...unless(
      ['', 'private', 'rprivate'].includes(propagation) || SHARING.has(propagation),
      bad(`invalid propagation mode: ${propagation.slice(0, 64)}`),
    ),
    ...(SHARING.has(propagation) ? [deny(`${mount.Target ?? ''}: ${propagation}`)] : []),
    ...checkReadOnlyOptions(mount.ReadOnly ?? false, options),
    ...unsupported(FEATURES.bindMounts, 'bind mounts are not supported'),
  ];
}

function checkReadOnlyOptions(isReadOnly: boolean, options: BindOptions): readonly Finding[] {
  const { ReadOnlyNonRecursive: isShallow = false, ReadOnlyForceRecursive: isForced = false } = options;
  return [
    ...unless(
      !isForced || (isReadOnly && !isShallow),
      bad(
        'mount options conflict: ReadOnlyForceRecursive needs a read-only mount, and no ReadOnlyNonRecursive',
      ),
    ),
    ...unless(
      !isShallow,
      bad(
        'BindOptions.ReadOnlyNonRecursive is not supported: a read-only mount is read-only all the way down',
      ),
    ),
  ];
}

function checkVolumeMount({ Source: source = '', VolumeOptions: options }: MountRequest): readonly Finding[] {
  return [
    ...(source === '' ? [] : checkVolumeName(source)),
    ...checkVolumeDriver(options?.DriverConfig),
    ...checkSubpath(options?.Subpath ?? ''),
    ...unless(
      source !== '' || !options?.Subpath,
      bad('invalid mount config for type "volume": must not set Subpath when using anonymous volumes'),
    ),
    ...unsupported(FEATURES.namedVolumes, 'volume mounts are not supported'),
  ];
}

function checkImageMount({ Source: source = '', ImageOptions: options }: MountRequest): readonly Finding[] {
  return [
    ...unless(source !== '', bad('invalid mount config for type "image": field Source must not be empty')),
    ...checkSubpath(options?.Subpath ?? ''),
    ...unsupported(FEATURES.imageMounts, 'image mounts are not supported'),
  ];
}

function checkVolumeDriver(driver: VolumeOptions['DriverConfig']): readonly Finding[] {
  const { Name: name = '', Options: options = {} } = driver ?? {};
  return [
    ...unless(isLocalDriver(name), deny(`volume driver ${name.slice(0, 64)}`)),
    // Their values may be passwords of file servers.
    ...unless(
      Object.keys(options).length === 0,
      deny(`volume driver options ${Object.keys(options).join(', ').slice(0, 200)}`),
    ),
  ];
}

function checkSubpath(subpath: string): readonly Finding[] {
  const isInside = !subpath.startsWith('/') && !subpath.split('/').includes('..') && !subpath.includes('\0');
  return unless(
    isInside && subpath.length <= MAX_SUBPATH_LENGTH,
    bad(`subpath must be a relative path within the volume: ${quote(subpath)}`),
  );
}

function checkTmpfsMount(mount: MountRequest): readonly Finding[] {
  const { SizeBytes: size = 0, Mode: mode = 0, Options: options = [] } = mount.TmpfsOptions ?? {};
  return [
    ...unless((mount.Source ?? '') === '', bad(`${inMount('tmpfs')}field Source must not be specified`)),
    ...unless(size >= 0, bad(`invalid tmpfs size: ${size}`)),
    ...unless(mode <= 0o7777, bad(`invalid tmpfs mode: ${mode.toString(8)}`)),
    ...options.flatMap((words) => checkTmpfsOptions(words.join('='))),
    ...unsupported(FEATURES.tmpfsMounts, 'tmpfs mounts are not supported'),
  ];
}

function checkVolumesFrom(
  text: string,
  findOwnContainer: (containerRef: string) => string | undefined,
): readonly Finding[] {
  if (text === '') return [bad('volumes-from specification cannot be an empty string')];
  const source = parseVolumesFrom(text);
  const { containerRef, modes } = source;
  if (!hasKnownModes(source)) return [bad(`invalid mode: ${modes.join(',').slice(0, 200)}`)];
  const message = `No such container: ${containerRef.slice(0, 200)}`;
  return [
    ...unless(findOwnContainer(containerRef) !== undefined, missing(message)),
    ...unless(!modes.some((word) => word === 'z' || word === 'Z'), {
      kind: 'warn',
      message: `Files are not relabelled for SELinux: ${text.slice(0, 300)}`,
    }),
  ];
}

function constrainMount(mount: MountRequest, maxBytes: number): MountRequest {
  const { Target: target = '', TmpfsOptions: tmpfs } = mount;
  const placed = { ...mount, Target: cleanPath(target) };
  if (!tmpfs) {
    return placed;
  }
  const { SizeBytes: size = 0, Options: options } = tmpfs;
  return {
    ...placed,
    TmpfsOptions: {
      ...tmpfs,
      ...(size > 0 ? { SizeBytes: Math.min(size, maxBytes) } : {}),
      ...(options
        ? { Options: options.map((words) => cutTmpfsSize(words.join('='), maxBytes).split('=')) }
        : {}),
    },
  };
}

/** The rows of what is mounted into a container. */
export const mountRules: RuleTable<Pick<HostConfig, Fields>> = {
  Binds: {
    verdict: 'constrain',
    reason: "sources are looked up in the job's own files, never in the machine's; mounts stay private",
    safer: 'leave the propagation out',
    check: (binds) => [
      ...unless((binds ?? []).length <= MAX_MOUNTS, bad(`more than ${MAX_MOUNTS} mounts`)),
      ...(binds ?? []).slice(0, MAX_MOUNTS).flatMap(checkBind),
    ],
  },
  Mounts: {
    verdict: 'constrain',
    reason: "as Binds; volumes are the job's own, with the local driver and without driver options",
    safer: 'use a plain bind, volume or tmpfs',
    check: (mounts) => [
      ...unless(mounts.length <= MAX_MOUNTS, bad(`more than ${MAX_MOUNTS} mounts`)),
      ...mounts.slice(0, MAX_MOUNTS).flatMap(checkMount),
    ],
    constrain: (mounts, { gate }) => mounts.map((mount) => constrainMount(mount, gate.budget.memoryBytes)),
  },
  Tmpfs: {
    verdict: 'constrain',
    reason: "known options only, never devices, and no more than the machine's memory",
    check: (tmpfs) => [
      ...unless(Object.keys(tmpfs).length <= MAX_MOUNTS, bad(`more than ${MAX_MOUNTS} mounts`)),
      ...Object.entries(tmpfs)
        .slice(0, MAX_MOUNTS)
        .flatMap(([target, options]) => [...checkTarget(target), ...checkTmpfsOptions(options)]),
    ],
    constrain: (tmpfs, { gate }) =>
      Object.fromEntries(
        Object.entries(tmpfs).map(([target, options]) => [
          cleanPath(target),
          cutTmpfsSize(options, gate.budget.memoryBytes),
        ]),
      ),
  },
  VolumesFrom: {
    verdict: 'constrain',
    reason: "only the job's own containers, and never more than they have",
    check: (sources, { gate }) => [
      ...unless((sources ?? []).length <= MAX_MOUNTS, bad(`more than ${MAX_MOUNTS} mounts`)),
      ...(sources ?? [])
        .slice(0, MAX_MOUNTS)
        .flatMap((source) => checkVolumesFrom(source, gate.findOwnContainer)),
    ],
  },
  VolumeDriver: {
    verdict: 'deny',
    reason: 'a volume driver is a program of the machine',
    safer: 'leave it out or say local',
    check: (driver, { request }) =>
      unless(isLocalDriver(driver) || !asksForVolume(request), deny(driver.slice(0, 64))),
  },
};
