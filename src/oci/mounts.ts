import { EngineError } from '../errors.ts';
import type { HostConfig, MountRequest } from '../wire/host-config.ts';
import { isKernelAtLeast } from './kernel-version.ts';
import { mergeTmpfsOptions } from './tmpfs.ts';
import type { OciMount, SpecHost } from './spec-types.ts';

/** A mount that berth has prepared on the host; `ContainerMount` is one. */
export interface PreparedMount {
  readonly type: 'volume' | 'bind' | 'tmpfs' | 'image';
  /** Path on the host; unused for tmpfs. */
  readonly hostPath: string;
  readonly destination: string;
  readonly isReadWrite: boolean;
  readonly tmpfsOptions?: readonly string[];
}

/** Host paths of the files that berth writes for a container. */
export interface ContainerFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** What a container's mounts are made from. */
export interface MountInput {
  readonly hostConfig: HostConfig;
  readonly isSysWritable: boolean;
  readonly isCgroupWritable: boolean;
  readonly files: ContainerFiles;
  readonly mounts: readonly PreparedMount[];
  /** Host path of the program at /sbin/docker-init, or undefined. */
  readonly initPath: string | undefined;
  /** Host path of the /dev/shm of a container that has one with others; the rest have their own. */
  readonly sharedMemory: string;
  readonly host: Pick<SpecHost, 'kernelVersion'>;
}

const NO_EXEC = ['nosuid', 'noexec', 'nodev'];
/** The container's own program for `--init`. */
export const INIT_DESTINATION = '/sbin/docker-init';
const MODE_BITS = 8;

/**
 * Every mount of a container, parents before children. What was asked for comes before the kernel's own: through a link of
 * the image, or of another mount, it may lead to where these are, and must not take their place. Only what is meant to
 * be below them comes after; InvalidArgument where one of these lies in another, and so may lead anywhere.
 */
export function buildMounts(input: MountInput): readonly OciMount[] {
  const asked = [...bindMounts(input), ...tmpfsMounts(input)];
  const files = fileMounts(input);
  const taken = new Set(asked.map((mount) => mount.destination));
  const hasOwnDev = taken.has('/dev');
  const base = kernelMounts(input).filter(
    ({ destination }) => !taken.has(destination) && !(hasOwnDev && destination.startsWith('/dev/')),
  );
  const all = [...files.filter(({ destination }) => !taken.has(destination)), ...asked].sort(byDepth);
  const below = all.filter(isBelowKernelMount);
  refuseNested(below);
  return [...all.filter((mount) => !isBelowKernelMount(mount)), ...base, ...below];
}

/** Whether a container of that IPC mode has a /dev/shm that others may have too, or has another one's. */
export function hasSharedMemory(ipcMode: string): boolean {
  return ipcMode === 'shareable' || ipcMode.startsWith('container:');
}

function isBelowKernelMount({ destination }: OciMount): boolean {
  return /^\/(dev|sys|proc)(\/|$)/.test(destination);
}

function refuseNested(mounts: readonly OciMount[]): void {
  for (const { destination: outer } of mounts)
    for (const { destination: inner } of mounts)
      if (inner.startsWith(`${outer}/`))
        throw new EngineError(
          'InvalidArgument',
          `invalid mount path: '${inner}' lies in another mount, '${outer}', below the container's own`,
        );
}

function byDepth(a: OciMount, b: OciMount): number {
  return a.destination.split('/').length - b.destination.split('/').length;
}

function kernelMounts(input: MountInput): readonly OciMount[] {
  const { isSysWritable, isCgroupWritable } = input;
  const readOnly = (isWritable: boolean): readonly string[] => (isWritable ? [] : ['ro']);
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: NO_EXEC },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/sys',
      type: 'sysfs',
      source: 'sysfs',
      options: [...NO_EXEC, ...readOnly(isSysWritable)],
    },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: [...readOnly(isCgroupWritable), ...NO_EXEC],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: NO_EXEC },
    ...sharedMemoryMount(input),
  ];
}

function sharedMemoryMount({ hostConfig, sharedMemory: source }: MountInput): readonly OciMount[] {
  const { IpcMode: mode, ShmSize: sizeBytes } = hostConfig;
  const destination = '/dev/shm';
  if (mode === 'none') return [];
  if (hasSharedMemory(mode))
    return [{ destination, type: 'bind', source, options: ['bind', ...NO_EXEC, 'rprivate'] }];
  const options = [...NO_EXEC, 'mode=1777', `size=${sizeBytes}`];
  return [{ destination, type: 'tmpfs', source: 'shm', options }];
}

function fileMounts({ files, hostConfig, initPath }: MountInput): readonly OciMount[] {
  const access = hostConfig.ReadonlyRootfs ? 'ro' : 'rw';
  const bind = (destination: string, source: string, mode: string): OciMount => ({
    destination,
    type: 'bind',
    source,
    options: ['bind', mode, 'rprivate'],
  });
  return [
    bind('/etc/resolv.conf', files.resolvConf, access),
    bind('/etc/hostname', files.hostname, access),
    bind('/etc/hosts', files.hosts, access),
    ...(initPath === undefined ? [] : [bind(INIT_DESTINATION, initPath, 'ro')]),
  ];
}

function bindMounts({ mounts, host }: MountInput): readonly OciMount[] {
  // Plain `ro` leaves mounts below the source writable; the recursive one needs mount_setattr(2).
  const readOnly = isKernelAtLeast(host.kernelVersion, '5.12') ? 'rro' : 'ro';
  return mounts
    .filter(({ type }) => type !== 'tmpfs')
    .map(({ destination, hostPath, isReadWrite }) => ({
      destination,
      type: 'bind',
      source: hostPath,
      options: ['rbind', isReadWrite ? 'rw' : readOnly, 'rprivate'],
    }));
}

function tmpfsMounts({ hostConfig, mounts }: MountInput): readonly OciMount[] {
  const short = Object.entries(hostConfig.Tmpfs ?? {}).map(
    ([destination, options]) => [destination, options === '' ? [] : options.split(',')] as const,
  );
  const long = mounts
    .filter(({ type }) => type === 'tmpfs')
    .map(({ destination, tmpfsOptions }) => [destination, tmpfsOptions ?? []] as const);
  return [...short, ...long].map(([destination, options]) => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: mergeTmpfsOptions(options),
  }));
}

/** The options of a tmpfs that `--mount` asks for, as mount(8) has them. */
export function tmpfsOptionsOf(mount: MountRequest): readonly string[] {
  const { SizeBytes: size = 0, Mode: mode = 0, Options: options = [] } = mount.TmpfsOptions ?? {};
  return [
    ...(size > 0 ? [`size=${size}`] : []),
    ...(mode > 0 ? [`mode=${mode.toString(MODE_BITS)}`] : []),
    ...(mount.ReadOnly === true ? ['ro'] : []),
    ...options.map((words) => words.join('=')),
  ];
}
