import { stat } from 'node:fs/promises';

import type { HostMounts, MountEntry } from '../host/types.ts';

/** File systems that the kernel answers for out of its own memory. */
const kernelFileSystems: ReadonlySet<string> = new Set([
  'proc',
  'sysfs',
  'tmpfs',
  'devtmpfs',
  'devpts',
  'mqueue',
  'cgroup',
  'cgroup2',
]);

/**
 * Tells what can be looked into by a thread of this process: nothing but memory, and the file systems that the operator
 * has put berth and the job's workspaces on. Of any other (FUSE, network, automounts, loops) a job may have made that it
 * never answers.
 */
export interface FileSystemTrust {
  /** Of paths in our own view, with what is mounted below them. */
  areQuick(paths: readonly string[]): Promise<boolean>;
  /** Of those that are quick: true where berth's own directories are on the same file systems, the operator's disk. */
  areOwn(paths: readonly string[]): Promise<boolean>;
  /** Of all that a process sees, while nobody mounts anything there; false when it has ended. */
  isQuickFor(pid: number): Promise<boolean>;
}

/** What is on the trusted file systems. */
export interface TrustedPaths {
  /** Berth's own directories. */
  readonly own: readonly string[];
  /** What the operator has given the job: quick too, but it may be another machine's disk. */
  readonly given: readonly string[];
}

/** Makes it. */
export async function createFileSystemTrust(
  mounts: Pick<HostMounts, 'list' | 'listOf'>,
  { own, given }: TrustedPaths,
): Promise<FileSystemTrust> {
  const ownDevices = new Set(await Promise.all(own.map(deviceOf)));
  const devices = new Set([...ownDevices, ...(await Promise.all(given.map(deviceOf)))]);
  const isQuick = (entry: MountEntry): boolean =>
    kernelFileSystems.has(entry.fsType) || devices.has(entry.device);
  return {
    async areQuick(paths) {
      if (paths.length === 0) return true;
      const holds = (entry: MountEntry, path: string): boolean =>
        entry.mountPoint === path || entry.mountPoint.startsWith(path === '/' ? path : `${path}/`);
      return (await mounts.list()).every(
        (entry) => isQuick(entry) || !paths.some((path) => holds(entry, path)),
      );
    },
    async areOwn(paths) {
      return (await Promise.all(paths.map(deviceOf))).every((device) => ownDevices.has(device));
    },
    // An overlay at the top is the container's own root, on directories of containerd.
    async isQuickFor(pid) {
      const entries = await mounts.listOf(pid).catch(() => []);
      return (
        entries.length > 0 &&
        entries.every((entry) => isQuick(entry) || (entry.mountPoint === '/' && entry.fsType === 'overlay'))
      );
    },
  };
}

/** As mountinfo writes it: glibc's makedev, backwards. */
async function deviceOf(path: string): Promise<string> {
  const { dev } = await stat(path, { bigint: true });
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
