import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';

import { createFakeBinds } from '../../../test/support/fake-binds.ts';
import {
  exitedAt,
  makeConfig,
  makeContainer,
  makeContainerStore,
  makeId,
  makeImages,
  makeJob,
  partOf,
  runningSince,
} from '../../../test/support/records.ts';
import type { JobStore } from '../../containerd/job-store.ts';
import type { Containerd, Containers, Snapshots } from '../../containerd/types.ts';
import { EngineError } from '../../errors.ts';
import { createLimiter } from '../../lib/limiter.ts';
import { createTaskTracker } from '../../lib/task-tracker.ts';
import type { LogStore } from '../../logstore/types.ts';
import type { Job } from '../job.ts';
import { pruneContainers } from './prune-containers.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-prune-'));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

function pruneJob(removeSnapshot: (key: string) => Promise<void> = async () => {}): Job {
  const ended = exitedAt('2024-05-06T07:05:00Z');
  return makeJob({
    paths: { stateDir: root, runDir: root, socket: '', controlSocket: '' },
    cgroupPath: '/berth/job',
    log: pino({ level: 'silent' }),
    images: makeImages({}),
    binds: createFakeBinds(),
    logs: partOf<LogStore>({ remove: async () => {} }),
    tasks: createTaskTracker(() => {}),
    deletions: createLimiter(1),
    containers: makeContainerStore([
      makeContainer({
        id: makeId('c1'),
        name: 'old',
        createdAt: '2024-05-06T05:00:00.000000000Z',
        state: ended,
      }),
      makeContainer({
        id: makeId('c2'),
        name: 'new',
        state: ended,
        config: makeConfig({ Labels: { keep: 'yes' } }),
      }),
      makeContainer({ id: makeId('c3'), name: 'created' }),
      makeContainer({ id: makeId('c4'), name: 'up', state: runningSince('2024-05-06T07:00:00Z') }),
      makeContainer({ id: makeId('c5'), name: 'runner', state: ended, isHidden: true }),
    ]),
    containerd: partOf<Containerd>({
      containers: partOf<Containers>({ delete: async () => {} }),
    }),
    store: partOf<JobStore>({
      snapshots: partOf<Snapshots>({
        usage: async () => ({ sizeBytes: 10, inodes: 1 }),
        remove: removeSnapshot,
      }),
    }),
  });
}

describe('pruneContainers', () => {
  it.each<[Readonly<Record<string, readonly string[]>>, readonly string[]]>([
    [{}, ['c1', 'c2', 'c3']],
    [{ until: ['1h'] }, ['c1']],
    [{ until: ['2024-05-06T05:00:00Z'] }, ['c1']],
    [{ until: ['2024-05-06T04:59:59.999999999Z'] }, []],
    [{ until: ['999999h'] }, []],
    [{ label: ['keep'] }, ['c2']],
    [{ 'label!': ['keep=yes'] }, ['c1', 'c3']],
    [{ label: ['keep'], until: ['1h'] }, []],
  ])('with %j removes %j', async (filters, expected) => {
    const job = pruneJob();
    const { ContainersDeleted: deleted, SpaceReclaimed: reclaimed } = await pruneContainers(
      job,
      new Map(Object.entries(filters)),
    );
    expect([...(deleted ?? [])].sort()).toEqual(expected.map(makeId));
    expect(deleted === null).toBe(expected.length === 0);
    expect(reclaimed).toBe(10 * expected.length);
    const left = job.containers.all().map(({ id }) => id);
    expect(left).toEqual(['c1', 'c2', 'c3', 'c4', 'c5'].filter((id) => !expected.includes(id)).map(makeId));
    expect(job.events.recent().map(({ action }) => action)).toEqual([
      ...expected.map(() => 'destroy'),
      'prune',
    ]);
    expect(job.events.recent().at(-1)?.attributes).toEqual({ reclaimed: String(reclaimed) });
  });

  it('goes on past a container that cannot be removed, and does not count it', async () => {
    const job = pruneJob(async (key) => {
      if (key === makeId('c2')) throw new EngineError('Unavailable', 'containerd is gone');
    });
    const { ContainersDeleted: deleted } = await pruneContainers(job, new Map());
    expect([...(deleted ?? [])].sort()).toEqual(['c1', 'c3'].map(makeId));
    expect(job.containers.resolve('new').isRemoving).toBe(false);
  });

  it.each<[Readonly<Record<string, readonly string[]>>, string]>([
    [{ nope: ['x'] }, "invalid filter 'nope'"],
    [{ until: ['bad'] }, 'failed to parse value as time or duration: "bad"'],
    [{ until: ['1h', '2h'] }, 'more than one until filter specified'],
  ])('refuses %j and removes nothing', async (filters, message) => {
    const job = pruneJob();
    await expect(pruneContainers(job, new Map(Object.entries(filters)))).rejects.toThrow(message);
    expect(job.containers.all()).toHaveLength(5);
  });
});
