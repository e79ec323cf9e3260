import { readdir, readFile, stat } from 'node:fs/promises';
import { availableParallelism, hostname, machine, release, totalmem } from 'node:os';
import { join } from 'node:path';

import { EngineError } from '../errors.ts';
import { isErrno, toEngineError } from './errors.ts';
import type { HostCgroups, HostFacts, LimitSupport } from './types.ts';

const architectures: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  i686: '386',
  ppc64le: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
};

const CAP_SYS_RESOURCE = 1n << 24n;

/** What ulimit's names are in /proc/PID/limits. */
const LIMIT_TITLES: readonly (readonly [name: string, title: string])[] = [
  ['core', 'Max core file size'],
  ['cpu', 'Max cpu time'],
  ['data', 'Max data size'],
  ['fsize', 'Max file size'],
  ['locks', 'Max file locks'],
  ['memlock', 'Max locked memory'],
  ['msgqueue', 'Max msgqueue size'],
  ['nofile', 'Max open files'],
  ['nproc', 'Max processes'],
  ['rss', 'Max resident set'],
  ['sigpending', 'Max pending signals'],
  ['stack', 'Max stack size'],
];

/** Without the capability the runtime can only lower what it was started with; with it the kernel still counts files. */
export function readHighestUlimits(machine: {
  readonly ownLimits: string;
  readonly mostFiles: string;
  readonly canRaise: boolean;
}): ReadonlyMap<string, number> {
  const { ownLimits, mostFiles, canRaise } = machine;
  if (canRaise) return new Map(mostFiles === '' ? [] : [['nofile', Number(mostFiles)]]);
  return new Map(
    LIMIT_TITLES.flatMap(([name, title]) => {
      const hard = new RegExp(`^${title} +\\S+ +(\\d+)`, 'm').exec(ownLimits)?.[1];
      return hard === undefined ? [] : [[name, Number(hard)] as const];
    }),
  );
}

/** Reads the facts; `root` is where /proc, /sys and /etc are. */
export async function readHostFacts(cgroups: HostCgroups, root = '/'): Promise<HostFacts> {
  const read = (path: string): Promise<string> => readText(join(root, path));
  const [status, release_, lastCap, apparmor] = await Promise.all([
    read('proc/self/status'),
    readOsRelease(read),
    read('proc/sys/kernel/cap_last_cap'),
    read('sys/module/apparmor/parameters/enabled'),
  ]);
  const boundingSet = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (boundingSet === undefined)
    throw new EngineError('Unavailable', 'the kernel shows no capability bounding set');
  return {
    hostname: hostname(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    kernelVersion: release(),
    ...release_,
    machine: machine(),
    architecture: architectures[machine()] ?? machine(),
    cgroupVersion: cgroups.mode === 'v2' ? '2' : '1',
    limits: await readLimitSupport(cgroups),
    ipv4Forwarding: (await read('proc/sys/net/ipv4/ip_forward')).trim() === '1',
    bridgeNfIptables: (await read('proc/sys/net/bridge/bridge-nf-call-iptables')).trim() === '1',
    bridgeNfIp6tables: (await read('proc/sys/net/bridge/bridge-nf-call-ip6tables')).trim() === '1',
    lastCap: Number(lastCap.trim()),
    boundingSet: BigInt(`0x${boundingSet}`),
    highestUlimits: readHighestUlimits({
      ownLimits: await read('proc/self/limits'),
      mostFiles: await read('proc/sys/fs/nr_open'),
      canRaise: (BigInt(`0x${boundingSet}`) & CAP_SYS_RESOURCE) !== 0n,
    }),
    hasSeccomp: /^Seccomp:/m.test(status) && (await read('proc/sys/kernel/seccomp/actions_avail')) !== '',
    hasAppArmor: apparmor.startsWith('Y'),
    hasSelinux: await exists(join(root, 'sys/fs/selinux/enforce')),
  };
}

async function readOsRelease(
  read: (path: string) => Promise<string>,
): Promise<Pick<HostFacts, 'osName' | 'osVersion'>> {
  const text = (await read('etc/os-release')) || (await read('usr/lib/os-release'));
  const field = (name: string): string => {
    const value = new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? '';
    return value.replace(/^(["'])(.*)\1$/, '$2');
  };
  return { osName: field('PRETTY_NAME') || field('NAME') || 'Linux', osVersion: field('VERSION_ID') };
}

async function readLimitSupport(cgroups: HostCgroups): Promise<LimitSupport> {
  const has = (name: string): boolean => cgroups.controllers.includes(name);
  const file = (controller: string, name: string): Promise<boolean> => hasFile(cgroups, controller, name);
  if (cgroups.mode === 'v2') {
    return {
      memory: has('memory'),
      swap: has('memory') && (await file('memory', 'memory.swap.max')),
      kernelMemoryTcp: false,
      oomKillDisable: false,
      cpuCfsPeriod: has('cpu'),
      cpuCfsQuota: has('cpu'),
      cpuShares: has('cpu'),
      cpuSet: has('cpuset'),
      pids: has('pids'),
      blkioWeight: has('io'),
    };
  }
  return {
    memory: has('memory'),
    swap: await file('memory', 'memory.memsw.limit_in_bytes'),
    kernelMemoryTcp: await file('memory', 'memory.kmem.tcp.limit_in_bytes'),
    oomKillDisable: await file('memory', 'memory.oom_control'),
    cpuCfsPeriod: await file('cpu', 'cpu.cfs_period_us'),
    cpuCfsQuota: await file('cpu', 'cpu.cfs_quota_us'),
    cpuShares: await file('cpu', 'cpu.shares'),
    cpuSet: has('cpuset'),
    pids: has('pids'),
    blkioWeight: (await file('blkio', 'blkio.weight')) || (await file('blkio', 'blkio.bfq.weight')),
  };
}

// With v2 the root cgroup has no limits of its own: a cgroup below it shows which ones there are.
async function hasFile(cgroups: HostCgroups, controller: string, name: string): Promise<boolean> {
  const directory = cgroups.rootOf(controller);
  if (directory === undefined) return false;
  if (await exists(join(directory, name))) return true;
  if (cgroups.mode === 'v1') return false;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory() && (await exists(join(directory, entry.name, name)))) return true;
  }
  return false;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw toEngineError(error, 'cannot read the facts of this host');
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return '';
    throw toEngineError(error, 'cannot read the facts of this host');
  }
}
