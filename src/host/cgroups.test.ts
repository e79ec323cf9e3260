import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createHostCgroups } from './cgroups.ts';
import type { HostCgroups } from './types.ts';

describe('cgroups of this host', () => {
  let cgroups: HostCgroups;
  const cgroup = `/berth-test-${process.pid}/job`;
  const unlimited = { memoryBytes: undefined, cpus: undefined, pids: undefined };
  beforeEach(async () => {
    cgroups = await createHostCgroups();
  });
  afterEach(async () => cgroups.remove(`/berth-test-${process.pid}`));

  test('a cgroup is made in every hierarchy, twice without harm, and removed with what is below', async () => {
    await cgroups.create(cgroup);
    await cgroups.create(cgroup);
    for (const path of cgroups.paths(cgroup)) mkdirSync(join(path, 'container/inner'), { recursive: true });
    expect(await cgroups.exists(cgroup)).toBe(true);
    await cgroups.remove(cgroup);
    expect(await cgroups.exists(cgroup)).toBe(false);
    await cgroups.remove(cgroup);
  });

  test('processes in it and below are listed; with one inside it is not removed', async () => {
    await cgroups.create(cgroup);
    const child = spawn('sh', ['-c', 'read x'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    for (const path of cgroups.paths(cgroup)) {
      mkdirSync(join(path, 'container'));
      // A v1 cpuset of ours has processors already, one made below it by hand has none.
      if (path.includes('cpuset')) writeFileSync(join(path, 'cgroup.procs'), String(child.pid));
      else writeFileSync(join(path, 'container/cgroup.procs'), String(child.pid));
    }
    expect(await cgroups.pids(cgroup)).toEqual([child.pid]);
    expect(await cgroups.ofProcess(child.pid ?? 0, 'pids')).toBe(`${cgroup}/container`);
    await expect(cgroups.remove(cgroup)).rejects.toMatchObject({ kind: 'Conflict' });
    child.stdin.end();
    await once(child, 'close');
    expect(await cgroups.ofProcess(child.pid ?? 0, 'pids')).toBeUndefined();
  });

  test('limits are set, raised and lowered, and hold for what is below', async () => {
    await cgroups.create(`${cgroup}/inner`);
    const before = await cgroups.limitsOf(cgroup);
    for (const [memoryBytes, cpus, pids] of [
      [64 << 20, 0.5, 20],
      [96 << 20, 1.25, 30],
      [48 << 20, 0.25, 10],
    ] as const) {
      await cgroups.limit(cgroup, { memoryBytes, cpus, pids });
      expect(await cgroups.limitsOf(cgroup)).toEqual({ memoryBytes, cpus, pids });
    }
    await cgroups.limit(cgroup, unlimited);
    await cgroups.limit(`${cgroup}/inner`, { memoryBytes: 32 << 20, cpus: 0.125, pids: 30 });
    expect(await cgroups.limitsOf(`${cgroup}/inner`)).toEqual({
      memoryBytes: 32 << 20,
      cpus: 0.125,
      pids: 10,
    });
    expect(before).toMatchObject({ memoryBytes: undefined, pids: undefined });
  });

  test.each(['/', '', '..', '/a/../b', 'a\0b'])('the path %j is refused', async (path) => {
    expect(() => cgroups.paths(path)).toThrow('invalid cgroup path');
  });
});

describe('cgroup modes', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'berth-cgroups-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const withMounts = (lines: readonly string[]): Promise<HostCgroups> => {
    writeFileSync(join(directory, 'mountinfo'), lines.map((line) => `1 0 0:1 / ${line}\n`).join(''));
    return createHostCgroups(join(directory, 'mountinfo'));
  };

  test('controllers in v1 hierarchies beside a unified one mean v1', async () => {
    const cgroups = await withMounts([
      '/cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
      '/cg/memory rw - cgroup cgroup rw,memory',
      '/cg/systemd rw - cgroup cgroup rw,xattr,name=systemd',
      '/cg/unified rw - cgroup2 cgroup2 rw',
    ]);
    expect(cgroups.mode).toBe('v1');
    expect(cgroups.controllers).toEqual(['cpu', 'cpuacct', 'memory']);
    expect(cgroups.paths('job')).toEqual([
      '/cg/cpu,cpuacct/job',
      '/cg/memory/job',
      '/cg/systemd/job',
      '/cg/unified/job',
    ]);
    expect(cgroups.rootOf('cpu')).toBe('/cg/cpu,cpuacct');
  });

  test('with v2 each controller is handed down on the way to the cgroup', async () => {
    const root = join(directory, 'unified');
    for (const path of [root, join(root, 'a'), join(root, 'a/b')]) {
      mkdirSync(path);
      writeFileSync(join(path, 'cgroup.controllers'), 'cpu memory pids\n');
      writeFileSync(join(path, 'cgroup.subtree_control'), path === root ? 'cpu memory\n' : '\n');
    }
    const cgroups = await withMounts([`${root} rw - cgroup2 cgroup2 rw`]);
    expect([cgroups.mode, cgroups.controllers]).toEqual(['v2', ['cpu', 'memory', 'pids']]);
    await cgroups.create('a/b');
    expect(readFileSync(join(root, 'cgroup.subtree_control'), 'utf8')).toBe('+pids');
    expect(readFileSync(join(root, 'a/b/cgroup.subtree_control'), 'utf8')).toBe('+pids');
  });

  test('with v2 the limits are memory.max without swap, cpu.max and pids.max', async () => {
    const root = join(directory, 'unified');
    const files = {
      'memory.max': 'max',
      'memory.swap.max': 'max',
      'cpu.max': 'max 100000',
      'pids.max': 'max',
    };
    for (const path of [root, join(root, 'a'), join(root, 'a/b')]) {
      mkdirSync(path);
      writeFileSync(join(path, 'cgroup.controllers'), 'cpu cpuset memory pids\n');
      writeFileSync(join(path, 'cpuset.cpus.effective'), '0-2,5\n');
      writeFileSync(join(path, 'cpuset.mems.effective'), '0-1\n');
      if (path === root) continue;
      for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), `${text}\n`);
    }
    const cgroups = await withMounts([`${root} rw - cgroup2 cgroup2 rw`]);
    expect(await cgroups.limitsOf('a/b')).toEqual({ memoryBytes: undefined, cpus: 4, pids: undefined });
    expect(await cgroups.cpusetOf('a/b')).toEqual({ cpus: '0-2,5', mems: '0-1' });
    await cgroups.limit('a', { memoryBytes: 1 << 30, cpus: 1.5, pids: 100 });
    const texts = Object.keys(files).map((name) => readFileSync(join(root, 'a', name), 'utf8').trim());
    expect(texts).toEqual(['1073741824', '0', '150000 100000', '100']);
    await cgroups.limit('a/b', { memoryBytes: 2 ** 31, cpus: undefined, pids: 50 });
    expect(await cgroups.limitsOf('a/b')).toEqual({ memoryBytes: 1 << 30, cpus: 1.5, pids: 50 });
  });

  test('a limit without its controller is an error that names it', async () => {
    const cgroups = await withMounts(['/cg/memory rw - cgroup cgroup rw,memory']);
    await expect(cgroups.limit('job', { memoryBytes: undefined, cpus: undefined, pids: 1 })).rejects.toThrow(
      'no pids controller',
    );
  });

  test('without cgroups the answer is Unavailable', async () => {
    await expect(withMounts(['/x rw - tmpfs tmpfs rw'])).rejects.toMatchObject({ kind: 'Unavailable' });
  });
});
