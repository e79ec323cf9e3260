import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createHostCgroups } from './cgroups.ts';
import { loadLibc } from './libc.ts';
import { createNamespacePins, type NamespacePins } from './namespace-pins.ts';
import type { HostCgroups, Libc } from './types.ts';

const place = { ownerId: 'joiner', kind: 'ipc' } as const;

describe('names for the namespaces of processes in cgroups', () => {
  const parent = `/berth-pins-${process.pid}`;
  const cgroupName = 'one-container';
  let cgroups: HostCgroups;
  let libc: Libc;
  let directory: string;
  let pins: NamespacePins;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    cgroups = await createHostCgroups();
    libc = await loadLibc();
    directory = mkdtempSync(join(tmpdir(), 'berth-pins-'));
    pins = createNamespacePins({ libc, directory });
  });
  afterEach(async () => {
    await pins.clear();
    rmSync(directory, { recursive: true });
    for (const child of children.splice(0)) await end(child);
    await cgroups.remove(parent);
  });

  const end = async (child: ChildProcess): Promise<void> => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  const start = async (
    argv: readonly string[],
    cgroup: string,
  ): Promise<{ pid: number; child: ChildProcess }> => {
    const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(child);
    await once(child.stdout, 'data');
    await cgroups.create(cgroup);
    for (const path of cgroups.paths(cgroup)) writeFileSync(join(path, 'cgroup.procs'), String(child.pid));
    return { pid: child.pid ?? 0, child };
  };
  const sleeping = ['sh', '-c', 'echo; exec sleep 1000'];
  const apart = ['unshare', '--ipc', ...sleeping];
  const inoOf = (path: string): string => `ipc:[${statSync(path).ino}]`;

  test('lead to the namespace, and outlive the process until they are taken away', async () => {
    const { pid, child } = await start(apart, `${parent}/${cgroupName}`);
    const own = readlinkSync(`/proc/${pid}/ns/ipc`);
    expect(await pins.pin(place, { pid, cgroupName })).toBe('pinned');
    await end(child);
    expect(inoOf(pins.pathOf(place))).toBe(own);
    await pins.unpin(place);
    expect(existsSync(pins.pathOf(place))).toBe(false);
    await pins.unpin(place);
  });

  test('replace one that a crash has left', async () => {
    const first = await start(apart, `${parent}/${cgroupName}`);
    const second = await start(apart, `${parent}/${cgroupName}`);
    await pins.pin(place, { pid: first.pid, cgroupName });
    expect(await pins.pin(place, { pid: second.pid, cgroupName })).toBe('pinned');
    expect(inoOf(pins.pathOf(place))).toBe(readlinkSync(`/proc/${second.pid}/ns/ipc`));
    await pins.clear();
    expect(readdirSync(directory)).toEqual([]);
  });

  test.each(['ipc', 'pid'] as const)("are not given for the machine's own: %s", async (kind) => {
    const { pid } = await start(sleeping, `${parent}/${cgroupName}`);
    expect(await pins.pin({ ...place, kind }, { pid, cgroupName })).toBe('machine');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('are not given for another process that has got the number', async () => {
    const { pid } = await start(apart, `${parent}/${cgroupName}-of-another`);
    expect(await pins.pin(place, { pid, cgroupName })).toBe('ended');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('are not given for one that has ended', async () => {
    const { pid, child } = await start(apart, `${parent}/${cgroupName}`);
    await end(child);
    expect(await pins.pin(place, { pid, cgroupName })).toBe('ended');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('are not given for one that ends between the looks, though its number is used again at once', async () => {
    const { pid } = await start(apart, `${parent}/${cgroupName}`);
    const ended = Object.assign(new Error('gone'), { code: 'ESRCH', syscall: 'pidfd_send_signal' });
    const dying = createNamespacePins({
      directory,
      libc: {
        ...libc,
        signalIf(_pid, _signal, isMeant) {
          expect(isMeant()).toBe(true);
          throw ended;
        },
      },
    });
    const before = readdirSync('/proc/self/fd').length;
    expect(await dying.pin(place, { pid, cgroupName })).toBe('ended');
    expect(readdirSync(directory)).toEqual([]);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});
