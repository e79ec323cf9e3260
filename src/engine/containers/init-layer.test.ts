import { mkdtemp, readdir, readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobStore } from '../../containerd/job-store.ts';
import type { Mount, Snapshots } from '../../containerd/types.ts';
import { EngineError } from '../../errors.ts';
import { makeInitLayer, onInitLayer } from './init-layer.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp('/tmp/init-layer-');
});
afterEach(() => rm(directory, { recursive: true }));

/** A store whose only snapshot is the directory of the test. */
function storeOf(mount: Partial<Mount>, taken: Set<string>): JobStore {
  const mounts = [{ type: 'bind', source: directory, target: '', options: [], ...mount }];
  const snapshots: Partial<Snapshots> = {
    prepare({ key }) {
      if (taken.has(key)) return Promise.reject(new EngineError('Conflict', 'already exists'));
      taken.add(key);
      return Promise.resolve(mounts);
    },
    mounts: () => Promise.resolve(mounts),
  };
  const store: Partial<JobStore> = { snapshots: snapshots as Snapshots };
  return { ...store, withLease: () => store as JobStore } as JobStore;
}

describe('the init layer', () => {
  test('is made once, and found by the next process of the job', async () => {
    const store = storeOf({}, new Set());
    for (let process = 0; process < 2; process += 1)
      expect(await makeInitLayer({ store, leaseId: 'l', key: 'k' })).toBe(directory);
    expect((await readdir(directory)).sort()).toEqual(['.dockerenv', 'dev', 'etc', 'proc', 'sys']);
    expect((await readdir(join(directory, 'dev'))).sort()).toEqual(['console', 'pts', 'shm']);
    expect(await readlink(join(directory, 'etc/mtab'))).toBe('/proc/mounts');
    const { mode, size } = await stat(join(directory, 'etc/hosts'));
    expect([mode & 0o777, size]).toEqual([0o755, 0]);
  });

  test('is finished where its maker did not come to the end', async () => {
    const taken = new Set(['k']);
    await makeInitLayer({ store: storeOf({}, taken), leaseId: 'l', key: 'k' });
    expect(await readlink(join(directory, 'etc/mtab'))).toBe('/proc/mounts');
  });

  test('is not looked for in a snapshot that is no directory', async () => {
    const store = storeOf({ type: 'overlay' }, new Set());
    await expect(makeInitLayer({ store, leaseId: 'l', key: 'k' })).rejects.toThrow('is no directory');
  });

  test('lies below all layers of an image, if there are any', () => {
    const root = {
      type: 'overlay',
      source: 'overlay',
      target: '',
      options: ['lowerdir=/b:/a', 'upperdir=/u'],
    };
    expect(onInitLayer([root], '/init')).toEqual([
      { ...root, options: ['lowerdir=/b:/a:/init', 'upperdir=/u'] },
    ]);
    const bare = { type: 'bind', source: '/u', target: '', options: ['rw'] };
    expect(onInitLayer([bare], '/init')).toEqual([bare]);
  });
});
