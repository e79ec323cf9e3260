import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { makeContainerStore, makeJob, partOf } from '../../../test/support/records.ts';
import type { Mount } from '../../containerd/types.ts';
import { EngineError } from '../../errors.ts';
import type { PathStat, RootfsAccess, RootHandle } from '../../rootfs/types.ts';
import { loadLibc } from '../../host/libc.ts';
import { createOwnTrees } from '../../host/own-trees.ts';
import { openVolumeFiles } from '../../state/volume-files.ts';
import { openVolumeStore } from '../../state/volume-store.ts';
import type { Job } from '../job.ts';
import { acquireVolume } from './acquire-volume.ts';
import { copyUpVolume } from './copy-up-volume.ts';

const ROOT_MOUNTS: readonly Mount[] = [{ type: 'overlay', source: 'overlay', target: '', options: ['ro'] }];

let root: string;
let calls: unknown[];
let openHandles: number;
let job: Job;

// Stands for the files: which roots are opened, what is read from one and written to the other, and that both are closed.
function fakeRootfs(archive: () => Promise<Readable>): RootfsAccess {
  const idOf = new Map<RootHandle, string>();
  return partOf<RootfsAccess>({
    async openMounts(mounts) {
      openHandles += 1;
      const handle: RootHandle = {
        fd: -1,
        isOwn: false,
        mayHang: false,
        async close() {
          openHandles -= 1;
        },
      };
      idOf.set(handle, `${mounts[0]?.type ?? ''} ${mounts[0]?.source ?? ''}`);
      return handle;
    },
    async readArchive(handle, path) {
      calls.push(['read', idOf.get(handle), path]);
      return { stat: partOf<PathStat>({}), tar: await archive() };
    },
    async writeArchive(target, tar, options) {
      const text = (await tar.toArray()).join('');
      calls.push(['write', idOf.get(target.root), target.path, text, options.copyUidGid]);
    },
    async copyAttributes(from, to) {
      calls.push(['attributes', idOf.get(from.root), from.path, idOf.get(to.root), to.path]);
    },
  });
}

async function setUp(archive: () => Promise<Readable>): Promise<string> {
  job = makeJob({
    containers: makeContainerStore([]),
    volumes: await openVolumeStore(await openVolumeFiles(root, createOwnTrees(await loadLibc()))),
    rootfs: fakeRootfs(archive),
    signal: new AbortController().signal,
  });
  return (await acquireVolume(job, { containerId: 'c', name: 'data' })).hostPath;
}

const copyUp = { volumeName: 'data', rootMounts: ROOT_MOUNTS, destination: '/var/data' };

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-copy-up-'));
  calls = [];
  openHandles = 0;
});

afterEach(async () => {
  expect(openHandles).toBe(0);
  await rm(root, { recursive: true });
});

describe('copyUpVolume', () => {
  it('copies what the image has there into the volume, owners kept', async () => {
    const hostPath = await setUp(async () => Readable.from(['tar']));
    await copyUpVolume(job, copyUp);
    expect(calls).toEqual([
      ['read', 'overlay overlay', '/var/data/.'],
      ['write', `bind ${hostPath}`, '/', 'tar', true],
      ['attributes', 'overlay overlay', '/var/data', `bind ${hostPath}`, '/'],
    ]);
  });

  it('copies into the part of a volume that is mounted, whatever else there is', async () => {
    const hostPath = await setUp(async () => Readable.from(['tar']));
    await writeFile(join(hostPath, 'mine'), '');
    const part = await mkdtemp(join(root, 'part-'));
    await copyUpVolume(job, { ...copyUp, part });
    expect(calls).toContainEqual(['write', `bind ${part}`, '/', 'tar', true]);
    await writeFile(join(part, 'file'), '');
    calls = [];
    await copyUpVolume(job, { ...copyUp, part });
    expect(calls).toEqual([]);
  });

  it('leaves a volume with files as it is', async () => {
    const hostPath = await setUp(async () => Readable.from(['tar']));
    await writeFile(join(hostPath, 'mine'), '');
    await copyUpVolume(job, copyUp);
    expect(calls).toEqual([]);
    expect(await readdir(hostPath)).toEqual(['mine']);
  });

  it('has nothing to do when the image has no such directory', async () => {
    await setUp(async () => {
      throw new EngineError('NotFound', '/var/data');
    });
    await copyUpVolume(job, copyUp);
    expect(calls).toHaveLength(1);
  });

  it('fails when the copy fails', async () => {
    await setUp(async () => {
      throw new EngineError('Internal', 'disk full');
    });
    await expect(copyUpVolume(job, copyUp)).rejects.toThrow('disk full');
  });
});
