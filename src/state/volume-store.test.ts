import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { loadLibc } from '../host/libc.ts';
import { createOwnTrees } from '../host/own-trees.ts';
import { openVolumeFiles } from './volume-files.ts';
import { openVolumeStore, type VolumeRecord, type VolumeStore } from './volume-store.ts';

let root: string;

beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), 'berth-volumes-')), 'volumes');
});

afterEach(async () => {
  await rm(join(root, '..'), { recursive: true });
});

async function open(): Promise<VolumeStore> {
  return openVolumeStore(await openVolumeFiles(root, createOwnTrees(await loadLibc())));
}

function volume(name: string): Omit<VolumeRecord, 'directoryId'> {
  return {
    name,
    createdAt: '2024-05-06T07:08:09Z',
    labels: { a: 'b' },
    driverOpts: null,
    isAnonymous: false,
  };
}

describe('volume store', () => {
  it.each(['data', '../../escape', '__proto__', 'constructor', '/etc'])(
    'keeps the files of %j in a directory of its own naming',
    async (name) => {
      const store = await open();
      const record = await store.create(volume(name));
      expect(record.directoryId).toMatch(/^[0-9a-f]{64}$/);
      expect(store.hostPath(name)).toBe(join(root, record.directoryId, '_data'));
      expect(await readdir(store.hostPath(name))).toEqual([]);
      expect(store.get(name)).toEqual(record);
    },
  );

  it('is readable by root alone, and a volume’s own directory by all within', async () => {
    const store = await open();
    const { directoryId } = await store.create(volume('data'));
    const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
    expect(await modeOf(root)).toBe(0o700);
    expect(await modeOf(join(root, directoryId))).toBe(0o700);
    expect(await modeOf(store.hostPath('data'))).toBe(0o755);
  });

  it('finds its volumes again, and sweeps what has no record', async () => {
    const before = await open();
    await before.create(volume('data'));
    await writeFile(join(before.hostPath('data'), 'file'), 'x');
    await mkdir(join(root, 'f'.repeat(64), '_data'), { recursive: true });
    await writeFile(join(root, 'volumes.json.next'), 'half writ');
    const after = await open();
    expect(after.list()).toEqual(before.list());
    expect(await readFile(join(after.hostPath('data'), 'file'), 'utf8')).toBe('x');
    expect(await readdir(root)).not.toContain('f'.repeat(64));
  });

  it('lists by name', async () => {
    const store = await open();
    await Promise.all(['c', 'a', 'b'].map((name) => store.create(volume(name))));
    expect(store.list().map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect((await open()).list()).toHaveLength(3);
  });

  it('refuses a taken name and leaves nothing of the attempt', async () => {
    const store = await open();
    const { directoryId } = await store.create(volume('data'));
    await expect(store.create(volume('data'))).rejects.toMatchObject({ kind: 'Conflict' });
    expect((await readdir(root)).sort()).toEqual([directoryId, 'volumes.json'].sort());
  });

  it('removes a volume with its files and without those its links lead to', async () => {
    const store = await open();
    await store.create(volume('data'));
    const outside = join(root, '..', 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'precious'), 'x');
    await symlink(outside, join(store.hostPath('data'), 'link'));
    await store.remove('data');
    await store.remove('data');
    expect(await readdir(root)).toEqual(['volumes.json']);
    expect(await readdir(outside)).toEqual(['precious']);
    expect(() => store.hostPath('data')).toThrow('get data: no such volume');
    expect((await open()).list()).toEqual([]);
  });

  it('measures files without following links', async () => {
    const store = await open();
    await store.create(volume('data'));
    const path = store.hostPath('data');
    await mkdir(join(path, 'dir'));
    await writeFile(join(path, 'dir', 'file'), 'x'.repeat(1000));
    await symlink('/usr', join(path, 'usr'));
    expect(await store.measure('data')).toBe(1000 + '/usr'.length);
  });

  it('knows for whom a volume is held', async () => {
    const store = await open();
    const releaseA = store.hold('data', 'a');
    const releaseB = store.hold('data', 'b');
    expect(store.heldBy('data')).toEqual(['a', 'b']);
    releaseA();
    releaseA();
    expect(store.heldBy('data')).toEqual(['b']);
    releaseB();
    expect(store.heldBy('data')).toEqual([]);
  });

  it('does not guess at records of another version', async () => {
    await mkdir(root, { recursive: true });
    await writeFile(join(root, 'volumes.json'), '{"version":2,"volumes":[]}');
    await expect(open()).rejects.toThrow('volume records have unknown version 2');
  });
});
