import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { makeContainer, makeContainerStore, makeId, makeJob } from '../../../test/support/records.ts';
import type { ContainerMount } from '../../state/container.ts';
import { loadLibc } from '../../host/libc.ts';
import { createOwnTrees } from '../../host/own-trees.ts';
import { openVolumeFiles } from '../../state/volume-files.ts';
import { openVolumeStore } from '../../state/volume-store.ts';
import type { Job } from '../job.ts';
import { acquireVolume } from './acquire-volume.ts';
import { makeVolume } from './make-volume.ts';
import { removeContainerVolumes } from './remove-container-volumes.ts';
import { removeVolume } from './remove-volume.ts';

let root: string;
let job: Job;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-volumes-'));
  job = makeJob({
    containers: makeContainerStore([]),
    volumes: await openVolumeStore(await openVolumeFiles(root, createOwnTrees(await loadLibc()))),
  });
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

function mountOf(name: string, isAnonymous = false): ContainerMount {
  return {
    type: 'volume',
    name,
    shownSource: '',
    hostPath: '',
    destination: `/${name}`,
    isReadWrite: true,
    mode: '',
    propagation: '',
    isAnonymous,
  };
}

function addContainer(id: string, mounts: readonly ContainerMount[]): void {
  job.containers.add(makeContainer({ id: makeId(id), name: id, mounts }));
}

function names(): readonly string[] {
  return job.volumes.list().map(({ name }) => name);
}

describe('acquireVolume', () => {
  const containerId = makeId('c9');

  it('keeps a volume in use until it is released', async () => {
    const volume = await acquireVolume(job, { containerId, name: 'v1', labels: { a: 'b' } });
    expect(volume).toMatchObject({ name: 'v1', isAnonymous: false, created: true });
    expect(await readdir(volume.hostPath)).toEqual([]);
    await expect(removeVolume(job, 'v1', { force: true })).rejects.toThrow(
      `remove v1: volume is in use - [${containerId}]`,
    );
    volume.release();
    await removeVolume(job, 'v1', { force: false });
  });

  it('takes a new volume away again when it is discarded', async () => {
    const volume = await acquireVolume(job, { containerId, name: undefined });
    expect(volume).toMatchObject({ isAnonymous: true, created: true });
    await volume.discard();
    expect(names()).toEqual([]);
    expect(await readdir(root)).toEqual(['volumes.json']);
  });

  it('leaves a volume that was there, or that others came to use', async () => {
    await makeVolume(job, { name: 'v1', labels: null, driverOpts: null }, () => undefined);
    const known = await acquireVolume(job, { containerId, name: 'v1' });
    expect(known.created).toBe(false);
    await known.discard();
    const fresh = await acquireVolume(job, { containerId, name: 'v2' });
    const other = await acquireVolume(job, { containerId: makeId('ca'), name: 'v2' });
    await fresh.discard();
    expect(names()).toEqual(['v1', 'v2']);
    other.release();
  });
});

describe('removeContainerVolumes', () => {
  it('removes anonymous volumes that nobody else has mounted', async () => {
    const acquired = await Promise.all(
      [undefined, undefined, 'named'].map((name) => acquireVolume(job, { containerId: makeId('c1'), name })),
    );
    const [own = '', shared = ''] = acquired.map(({ name }) => name);
    addContainer('c1', [mountOf(own, true), mountOf(shared, true), mountOf('named')]);
    addContainer('c2', [mountOf(shared, true)]);
    for (const volume of acquired) volume.release();
    const container = job.containers.resolve('c1');
    await removeContainerVolumes(job, container);
    await removeContainerVolumes(job, container);
    expect(names()).toEqual([shared, 'named'].sort());
  });

  it('leaves none behind where two that share one go at the same time', async () => {
    const volume = await acquireVolume(job, { containerId: makeId('c1'), name: undefined });
    for (const id of ['c1', 'c2']) addContainer(id, [mountOf(volume.name, true)]);
    volume.release();
    await Promise.all(['c1', 'c2'].map((id) => removeContainerVolumes(job, job.containers.resolve(id))));
    expect(names()).toEqual([]);
  });
});
