import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { makeContainer, makeContainerStore, makeId, makeJob } from '../../../test/support/records.ts';
import { GATE_PARTS } from '../../../test/support/gate-parts.ts';
import { createFakeBinds, createFakeJobContainerStore } from '../../../test/support/fake-binds.ts';
import { EngineError } from '../../errors.ts';
import type { ContainerMount } from '../../state/container.ts';
import { loadLibc } from '../../host/libc.ts';
import { createOwnTrees } from '../../host/own-trees.ts';
import { openVolumeFiles } from '../../state/volume-files.ts';
import { openVolumeStore } from '../../state/volume-store.ts';
import type { VolumeCreateRequest } from '../../wire/volume.ts';
import type { Job } from '../job.ts';
import { createVolume } from './create-volume.ts';
import { inspectVolume } from './inspect-volume.ts';
import { listVolumes } from './list-volumes.ts';
import { pruneVolumes } from './prune-volumes.ts';
import { removeVolume } from './remove-volume.ts';

let root: string;
let job: Job;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-volumes-'));
  job = makeJob({
    ...GATE_PARTS,
    containers: makeContainerStore([]),
    paths: { stateDir: '', runDir: '', socket: '/run/berth.sock', controlSocket: '' },
    binds: createFakeBinds(),
    jobContainer: createFakeJobContainerStore(),
    volumes: await openVolumeStore(await openVolumeFiles(root, createOwnTrees(await loadLibc()))),
  });
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

function request(parts: Partial<VolumeCreateRequest>): VolumeCreateRequest {
  return { name: '', driver: '', driverOpts: null, labels: null, clusterVolumeSpec: false, ...parts };
}

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

function events(): readonly string[] {
  return job.events.recent().map(({ type, action, actorId }) => `${type} ${action} ${actorId}`.trim());
}

function names(filters: Readonly<Record<string, readonly string[]>>): readonly string[] {
  return listVolumes(job, new Map(Object.entries(filters))).Volumes.map(({ Name }) => Name);
}

describe('createVolume', () => {
  it('answers as dockerd, and with the same volume the second time', async () => {
    const expected = {
      CreatedAt: '2024-05-06T07:08:09Z',
      Driver: 'local',
      Labels: { a: 'b' },
      Mountpoint: '/var/lib/docker/volumes/v1/_data',
      Name: 'v1',
      Options: null,
      Scope: 'local',
    };
    expect(await createVolume(job, request({ name: 'v1', labels: { a: 'b' } }))).toEqual(expected);
    expect(await createVolume(job, request({ name: 'v1', driver: 'local', labels: { c: 'd' } }))).toEqual(
      expected,
    );
    expect(inspectVolume(job, 'v1')).toEqual(expected);
    expect(events()).toEqual(['volume create v1']);
  });

  it('makes one volume of many requests at once', async () => {
    await Promise.all(Array.from({ length: 10 }, () => createVolume(job, request({ name: 'v1' }))));
    expect(await readdir(root)).toHaveLength(2);
  });

  it('gives a nameless one an id and marks it as anonymous', async () => {
    const { Name, Labels } = await createVolume(job, request({ labels: { a: 'b' } }));
    expect(Name).toMatch(/^[0-9a-f]{64}$/);
    expect(Labels).toEqual({ a: 'b', 'com.docker.volume.anonymous': '' });
  });

  it.each(['../x', '/abs', 'x y', '.x', 'a/b', 'nul\0', 'ünï', '-x'])('refuses the name %j', async (name) => {
    await expect(createVolume(job, request({ name }))).rejects.toMatchObject({
      kind: 'InvalidArgument',
      message:
        `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, ` +
        'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    });
  });

  it.each<[Partial<VolumeCreateRequest>, string, string]>([
    [
      { name: 'a' },
      'InvalidArgument',
      'volume name is too short, names should be at least two alphanumeric characters',
    ],
    [{ name: 'v'.repeat(256) }, 'InvalidArgument', 'file name too long'],
    [
      { name: 'v1', driver: 'nope' },
      'NotFound',
      'error looking up volume plugin nope: plugin "nope" not found',
    ],
    [{ name: 'v1', driverOpts: { bogus: 'x' } }, 'InvalidArgument', 'invalid option: "bogus"'],
    [{ name: 'v1', driverOpts: { type: 'nfs' } }, 'InvalidArgument', 'missing required option: "device"'],
    [{ name: 'v1', driverOpts: { device: 'tmpfs' } }, 'InvalidArgument', 'missing required option: "type"'],
    [{ name: 'v1', clusterVolumeSpec: true }, 'NotImplemented', 'cluster volumes are not supported'],
    [
      { name: 'v1', driverOpts: { type: 'tmpfs', device: 'tmpfs' } },
      'NotImplemented',
      'DriverOpts type=tmpfs',
    ],
  ])('refuses %j', async (parts, kind, message) => {
    const refusal = createVolume(job, request(parts));
    await expect(refusal).rejects.toMatchObject({ kind });
    await expect(refusal).rejects.toThrow(message);
    expect(await readdir(root)).toEqual([]);
  });

  it.each([
    { type: 'none', device: '/', o: 'bind' },
    { type: 'none', device: '/a/..', o: 'bind' },
    { type: 'none', device: 'a', o: 'bind' },
    { type: 'none', device: '/a', o: 'bind,suid' },
    { type: 'none', device: '/a', o: 'bind,bind' },
    { type: 'none', device: '/a', o: 'bind,shared' },
    { type: 'none', device: '/a', o: 'remount' },
    { type: 'ext4', device: '/dev/sda', o: 'bind' },
    { type: 'tmpfs', device: '/dev/sda' },
    { type: 'cifs', device: '//x/y', o: 'password=hunter2' },
    { type: 'overlay', device: 'overlay', o: 'lowerdir=/,upperdir=/etc' },
  ])('refuses what the machine would mount, without telling values: %j', async (driverOpts) => {
    const refusal = createVolume(job, request({ name: 'v1', driverOpts }));
    await expect(refusal).rejects.toMatchObject({
      kind: 'PermissionDenied',
      message: expect.stringMatching(
        /^volume driverOpts type, device(?:, o)? is refused: .* No setting allows it/,
      ) as string,
    });
    await expect(refusal).rejects.not.toThrow('hunter2');
    expect(await readdir(root)).toEqual([]);
  });

  it('refuses to stand for a directory that no bind may have', async () => {
    job.binds.pin = () => Promise.reject(new EngineError('PermissionDenied', 'not one that the job sees'));
    const driverOpts = { type: 'none', device: '/work/data', o: 'bind' };
    await expect(createVolume(job, request({ name: 'v1', driverOpts }))).rejects.toMatchObject({
      kind: 'PermissionDenied',
      message: 'invalid mount config for type "bind": not one that the job sees',
    });
    expect(names({})).toEqual([]);
  });

  it.each(['bind', 'rbind', 'bind,ro', 'rw,bind'])('keeps what stands for a directory: %s', async (o) => {
    const driverOpts = { type: 'none', device: '/work/data', o };
    expect(await createVolume(job, request({ name: 'v1', driverOpts }))).toMatchObject({
      Options: driverOpts,
    });
  });

  it('refuses options even for a volume that is there', async () => {
    await createVolume(job, request({ name: 'v1' }));
    await expect(
      createVolume(job, request({ name: 'v1', driverOpts: { type: 'none', device: '/', o: 'bind' } })),
    ).rejects.toMatchObject({ kind: 'PermissionDenied' });
  });
});

describe('listVolumes', () => {
  beforeEach(async () => {
    await createVolume(job, request({ name: 'v1', labels: { a: 'b' } }));
    await createVolume(job, request({ name: 'v2' }));
    addContainer('c1', [mountOf('v2')]);
  });

  it.each<[Readonly<Record<string, readonly string[]>>, readonly string[]]>([
    [{}, ['v1', 'v2']],
    [{ name: ['v'] }, ['v1', 'v2']],
    [{ name: ['2$'] }, ['v2']],
    [{ name: ['['] }, []],
    [{ label: ['a'] }, ['v1']],
    [{ label: ['a=c'] }, []],
    [{ driver: ['local'] }, ['v1', 'v2']],
    [{ driver: ['x'] }, []],
    [{ dangling: ['true'] }, ['v1']],
    [{ dangling: ['0'] }, ['v2']],
  ])('filters by %j', (filters, expected) => {
    expect(names(filters)).toEqual(expected);
  });

  it.each<[Readonly<Record<string, readonly string[]>>, string]>([
    [{ nope: ['x'] }, "invalid filter 'nope'"],
    [{ 'label!': ['x'] }, "invalid filter 'label!'"],
    [{ dangling: ['x'] }, "invalid filter 'dangling=[x]'"],
  ])('refuses %j', (filters, message) => {
    expect(() => names(filters)).toThrow(message);
  });
});

describe('removeVolume', () => {
  it('removes the files and tells of it', async () => {
    await createVolume(job, request({ name: 'v1' }));
    await removeVolume(job, 'v1', { force: false });
    expect(await readdir(root)).toEqual(['volumes.json']);
    expect(events()).toEqual(['volume create v1', 'volume destroy v1']);
    expect(() => inspectVolume(job, 'v1')).toThrow('get v1: no such volume');
  });

  it('minds an absent one only without force', async () => {
    await expect(removeVolume(job, 'v1', { force: false })).rejects.toMatchObject({
      kind: 'NotFound',
      message: 'get v1: no such volume',
    });
    await removeVolume(job, 'v1', { force: true });
  });

  it.each([false, true])('refuses one that containers use, force %s', async (force) => {
    await createVolume(job, request({ name: 'v1' }));
    addContainer('c1', [mountOf('v1')]);
    addContainer('c2', [mountOf('other'), mountOf('v1')]);
    await expect(removeVolume(job, 'v1', { force })).rejects.toMatchObject({
      kind: 'Conflict',
      message: `remove v1: volume is in use - [${makeId('c1')}, ${makeId('c2')}]`,
    });
  });
});

describe('pruneVolumes', () => {
  const noFilters = new Map<string, readonly string[]>();

  beforeEach(async () => {
    await createVolume(job, request({ name: 'named', labels: { keep: 'no' } }));
    await createVolume(job, request({ name: 'used' }));
    addContainer('c1', [mountOf('used')]);
    await writeFile(join(job.volumes.hostPath('named'), 'file'), 'x'.repeat(123));
  });

  it('spares named volumes, but not for old clients', async () => {
    const { Name } = await createVolume(job, request({}));
    expect(await pruneVolumes(job, { filters: noFilters, sparesNamed: true })).toEqual({
      VolumesDeleted: [Name],
      SpaceReclaimed: 0,
    });
    expect(await pruneVolumes(job, { filters: noFilters, sparesNamed: false })).toEqual({
      VolumesDeleted: ['named'],
      SpaceReclaimed: 123,
    });
    expect(names({})).toEqual(['used']);
    expect(events().slice(-2)).toEqual(['volume destroy named', 'volume prune']);
    expect(job.events.recent().at(-1)?.attributes).toEqual({ reclaimed: '123' });
  });

  it.each<[Readonly<Record<string, readonly string[]>>, readonly string[]]>([
    [{ all: ['true'] }, ['named']],
    [{ all: ['false'] }, []],
    [{ all: ['1'], label: ['keep'] }, ['named']],
    [{ all: ['1'], 'label!': ['keep'] }, []],
  ])('prunes with %j', async (filters, expected) => {
    const pruned = await pruneVolumes(job, { filters: new Map(Object.entries(filters)), sparesNamed: true });
    expect(pruned.VolumesDeleted).toEqual(expected);
  });

  it('knows the filter all only where the version does', async () => {
    const filters = new Map([['all', ['x']]]);
    await expect(pruneVolumes(job, { filters, sparesNamed: true })).rejects.toThrow(
      "invalid filter 'all=[x]'",
    );
    await expect(pruneVolumes(job, { filters, sparesNamed: false })).rejects.toThrow("invalid filter 'all'");
  });
});
