import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHostCgroups } from '../host/cgroups.ts';
import { loadLibc } from '../host/libc.ts';
import type { HostCgroups, Libc } from '../host/types.ts';
import { endProcesses } from './remove-traces.ts';

const cgroupPath = `/berth-ends-${String(process.pid)}/job`;
let cgroups: HostCgroups;
let libc: Libc;

beforeEach(async () => {
  [cgroups, libc] = [await createHostCgroups(), await loadLibc()];
  await cgroups.create(`${cgroupPath}/inner`);
  await cgroups.limit(cgroupPath, { memoryBytes: undefined, cpus: undefined, pids: 100 });
});
afterEach(async () => {
  await endProcesses({ cgroupPath }, { cgroups, libc });
  await cgroups.remove(cgroupPath);
  await cgroups.remove(cgroupPath.slice(0, cgroupPath.lastIndexOf('/')));
});

/** Runs a script in the cgroup; it has entered when this answers. */
async function runInside(script: string): Promise<void> {
  const child = spawn('sh', ['-c', `read go; ${script}`], { stdio: ['pipe', 'ignore', 'ignore'] });
  child.on('error', () => undefined);
  for (const path of cgroups.paths(`${cgroupPath}/inner`))
    writeFileSync(join(path, 'cgroup.procs'), String(child.pid));
  child.stdin.end('\n');
  await sleep(300);
}

test('a process that forks and forks is ended with all it has begun', async () => {
  // Each is a process of its own that starts the next one and ends.
  await runInside('f() { (f &) ; (f &) ; sleep 0.01; f; }; f');
  expect((await cgroups.pids(cgroupPath)).length).toBeGreaterThan(1);
  expect(await endProcesses({ cgroupPath }, { cgroups, libc })).toEqual([]);
  expect(await cgroups.pids(cgroupPath)).toEqual([]);
});

test('one whose number is listed, and which is elsewhere, is left alone', async () => {
  const other = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const { pid = 0 } = other;
  const lists = [[pid], []];
  const stale: HostCgroups = { ...cgroups, pids: () => Promise.resolve(lists.shift() ?? []) };
  expect(await endProcesses({ cgroupPath }, { cgroups: stale, libc })).toEqual([]);
  expect(other.signalCode).toBeNull();
  expect(process.kill(pid, 0)).toBe(true);
  other.kill('SIGKILL');
});
