import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { residentMib, type Daemon } from '../bench/daemons.ts';

/** What a job and the containerd that it started hold at one moment. */
export interface HostFootprint {
  readonly berthMib: number;
  readonly berthFiles: number;
  readonly containerdMib: number;
  readonly containerdFiles: number;
  /** Of containerd's process; it makes no more of them where its calls come to an end. */
  readonly containerdThreads: number;
  readonly leases: number;
  readonly snapshots: number;
  readonly containers: number;
  /** Of all its files of records. */
  readonly boltKib: number;
}

/** Where a job's containerd is. */
export interface HostPlace {
  readonly daemon: Daemon;
  /** containerd's socket. */
  readonly containerd: string;
  /** The root directory of berth. */
  readonly root: string;
}

/** Counts what the job holds, in all namespaces of its containerd. Throws where no such containerd runs. */
export async function takeFootprint({ daemon, containerd, root }: HostPlace): Promise<HostFootprint> {
  const pid = findContainerd(root);
  const ctr = (...args: readonly string[]): string[] =>
    execFileSync('ctr', ['--address', containerd, ...args], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean);
  const namespaces = ctr('namespaces', 'ls', '--quiet');
  const count = (...args: readonly string[]): number =>
    namespaces.reduce((sum, name) => sum + ctr('--namespace', name, ...args).length, 0);
  return {
    berthMib: await residentMib(daemon.pid),
    berthFiles: filesOf(daemon.pid),
    containerdMib: await residentMib(pid),
    containerdFiles: filesOf(pid),
    containerdThreads: readdirSync(`/proc/${String(pid)}/task`).length,
    leases: count('leases', 'ls', '--quiet'),
    // With a line for the heads of the columns.
    snapshots: count('snapshots', 'ls') - namespaces.length,
    containers: count('containers', 'ls', '--quiet'),
    boltKib: boltKib(root),
  };
}

function filesOf(pid: number): number {
  return readdirSync(`/proc/${String(pid)}/fd`).length;
}

function findContainerd(root: string): number {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const words = readWords(entry);
    if (words[0]?.endsWith('containerd') && words.some((word) => word.startsWith(`${root}/`)))
      return Number(entry);
  }
  throw new Error(`no containerd runs on ${root}`);
}

function readWords(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It has ended since the directory was read.
    return [];
  }
}

function boltKib(root: string): number {
  const directory = join(root, 'containerd');
  const databases = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /(^|\/)(meta|metadata)\.db$/.test(name),
  );
  return databases.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0) / 1024;
}
