import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
const IS_UNIFIED = existsSync(join(ROOT, 'cgroup.controllers'));

/** A control group that holds a daemon with everything that it starts, and its containers below. */
export interface MeteredGroup {
  /** The path of the group in each hierarchy, for containers of the daemon to be put below. */
  readonly path: string;
  add(pid: number): void;
  /** User and system time that was ever spent in it, in ms. */
  cpuMs(): number;
  /** Memory of all processes in it, in MiB, what they share divided among them. */
  pssMib(): number;
  remove(): void;
}

/** Makes a group for the metering of one daemon. */
export function createMeteredGroup(name: string): MeteredGroup {
  const path = `/berth-bench/${String(process.pid)}-${name}`;
  const directory = join(ROOT, IS_UNIFIED ? '' : 'cpuacct', path);
  mkdirSync(directory, { recursive: true });
  return {
    path,
    add: (pid) => {
      writeFileSync(join(directory, 'cgroup.procs'), String(pid));
    },
    cpuMs: () => readCpuMs(directory),
    pssMib: () => pidsBelow(directory).reduce((sum, pid) => sum + pssMib(pid), 0),
    remove: () => {
      for (const hierarchy of IS_UNIFIED ? [''] : readdirSync(ROOT)) removeBelow(join(ROOT, hierarchy, path));
      for (const hierarchy of IS_UNIFIED ? [''] : readdirSync(ROOT))
        removeEmpty(join(ROOT, hierarchy, '/berth-bench'));
    },
  };
}

function readCpuMs(directory: string): number {
  if (!IS_UNIFIED) return Number(readFileSync(join(directory, 'cpuacct.usage'), 'utf8')) / 1e6;
  const text = readFileSync(join(directory, 'cpu.stat'), 'utf8');
  return Number(/^usage_usec (\d+)$/m.exec(text)?.[1] ?? Number.NaN) / 1e3;
}

function subgroups(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(directory, name));
}

function pidsBelow(directory: string): string[] {
  const own = readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
  return [...own, ...subgroups(directory).flatMap(pidsBelow)];
}

function pssMib(pid: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) / 1024;
  } catch {
    // It has ended since the group was read.
    return 0;
  }
}

function removeBelow(directory: string): void {
  if (!existsSync(directory)) return;
  subgroups(directory).forEach(removeBelow);
  removeEmpty(directory);
}

/** Leaves a group that another bench, or a process that has not ended yet, still uses. */
function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    return;
  }
}
