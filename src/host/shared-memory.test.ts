import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { loadLibc } from './libc.ts';
import { createHostMounts } from './mounts.ts';
import { createSharedMemory, type SharedMemory } from './shared-memory.ts';
import type { Libc } from './types.ts';

const MIB = 1024 * 1024;

describe('shared memory of containers', () => {
  let libc: Libc;
  let directory: string;
  let memory: SharedMemory;
  beforeEach(async () => {
    libc = await loadLibc();
    directory = mkdtempSync(join(tmpdir(), 'berth-shm-'));
    memory = createSharedMemory({ libc, directory });
  });
  afterEach(async () => {
    await createHostMounts({ libc, directory: join(directory, 'm') }).unmountBelow(directory);
    rmSync(directory, { recursive: true });
  });
  const at = (id: string, name = ''): string => join(memory.pathOf(id), name);

  test('has its size, and is open to every user of the container', async () => {
    await memory.make('one', 2 * MIB);
    const { blocks, bsize } = statfsSync(at('one'));
    expect(blocks * bsize).toBe(2 * MIB);
    expect(statSync(at('one')).mode & 0o7777).toBe(0o1777);
    const mounts = await createHostMounts({ libc, directory }).list();
    expect(mounts.find(({ mountPoint }) => mountPoint === at('one'))?.options).toContain(
      'nosuid,nodev,noexec',
    );
  });

  test('is kept by who shares it, and can be shared on by them', async () => {
    await memory.make('one', MIB);
    expect(await memory.share('two', 'one')).toBe(true);
    writeFileSync(at('one', 'file'), 'text');
    await memory.remove('one');
    expect(existsSync(at('one'))).toBe(false);
    expect(readFileSync(at('two', 'file'), 'utf8')).toBe('text');
    expect(await memory.share('three', 'two')).toBe(true);
    expect(readFileSync(at('three', 'file'), 'utf8')).toBe('text');
  });

  test('of one that has none is not shared', async () => {
    expect(await memory.share('two', 'one')).toBe(false);
    await memory.remove('one');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('is made anew in place of what a crash has left', async () => {
    await memory.make('one', MIB);
    writeFileSync(at('one', 'file'), 'text');
    await memory.make('one', MIB);
    expect(readdirSync(at('one'))).toEqual([]);
    await memory.remove('one');
    await memory.remove('one');
    expect(readdirSync(directory)).toEqual([]);
  });
});
