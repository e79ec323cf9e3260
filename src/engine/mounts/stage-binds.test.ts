import { beforeEach, describe, expect, it } from 'vitest';
import { createFakeBinds, createFakeJobContainerStore } from '../../../test/support/fake-binds.ts';
import { makeHostConfig, makeJob, partOf } from '../../../test/support/records.ts';
import { EngineError } from '../../errors.ts';
import type { HostFacts, HostProcesses } from '../../host/types.ts';
import { createCleanupStack, type CleanupStack } from '../../lib/cleanup-stack.ts';
import type { BindAccess, BindLookup, PinnedSource } from '../../rootfs/types-binds.ts';
import type { Job } from '../job.ts';
import { stageBinds } from './stage-binds.ts';
import { takeStagePlaces } from './stage-places.ts';

const CONTAINER = { kind: 'process', pid: 7, startTime: '1' } as const;

let calls: (readonly unknown[])[];
let kind: PinnedSource['kind'];
let isAlive: readonly boolean[];
let undo: CleanupStack;
let pin: (lookup: BindLookup) => Promise<PinnedSource>;

function jobWith(host: Partial<HostFacts> = {}): Job {
  const binds: BindAccess = {
    ...createFakeBinds(),
    pin: (lookup) => pin(lookup),
    unstage: async (containerId) => {
      calls.push(['unstage', containerId]);
    },
  };
  return makeJob({
    binds,
    jobContainer: createFakeJobContainerStore(),
    paths: partOf<Job['paths']>({ socket: '/run/job/docker.sock' }),
    host: partOf<HostFacts>({ kernelVersion: '6.1.0', ...host }),
    processes: partOf<HostProcesses>({
      isAlive: async () => {
        const [now = false, ...later] = isAlive;
        isAlive = later;
        return now;
      },
    }),
  });
}

function stage(job: Job, ...binds: readonly string[]): ReturnType<typeof stageBinds> {
  const places = takeStagePlaces(job, 'c', undo);
  return stageBinds(job, { hostConfig: makeHostConfig({ Binds: binds }), places });
}

beforeEach(() => {
  calls = [];
  kind = 'directory';
  isAlive = [];
  undo = createCleanupStack(() => undefined);
  pin = async (lookup) => {
    calls.push(['pin', lookup.path, lookup.pid]);
    return { fd: -1, namespaceFd: undefined, kind, close: () => calls.push(['close']) };
  };
});

describe('stageBinds', () => {
  it('shows the path of the job, and tells the runtime only the staged one', async () => {
    const mounts = await stage(jobWith(), '/work//a/:/x:ro', 'volume:/v', '/work/b:/y');
    expect(mounts).toMatchObject([
      { type: 'bind', shownSource: '/work/a', hostPath: '/staged/c/0', isReadWrite: false, mode: 'ro' },
      { type: 'bind', shownSource: '/work/b', hostPath: '/staged/c/1', isReadWrite: true, mode: '' },
    ]);
    expect(calls).toEqual([
      ['pin', '/work/a', undefined],
      ['close'],
      ['pin', '/work/b', undefined],
      ['close'],
    ]);
  });

  it('is undone with the container', async () => {
    await stage(jobWith(), '/work:/x');
    await undo.dispose();
    expect(calls.at(-1)).toEqual(['unstage', 'c']);
  });

  it.each([
    '/var/run/docker.sock',
    '//run/./docker.sock',
    '/var/../var/run/docker.sock/',
    '/run/job/docker.sock',
  ])('%s is the socket of the job, without a look at what is there', async (source) => {
    expect(await stage(jobWith(), `${source}:/s`)).toMatchObject([{ hostPath: '/staged/docker.sock' }]);
    expect(calls).toEqual([]);
  });

  it('knows the socket behind another name', async () => {
    kind = 'socket';
    expect(await stage(jobWith(), '/work/link:/s')).toMatchObject([{ hostPath: '/staged/docker.sock' }]);
  });

  it.each(['/proc', '/proc/self/root', '/sys/fs', '/dev', '/x/../dev/fd/3'])(
    '%s is refused',
    async (source) => {
      await expect(stage(jobWith(), `${source}:/x`)).rejects.toMatchObject({
        kind: 'PermissionDenied',
        message: expect.stringContaining('invalid mount config for type "bind": bind source path') as string,
      });
      expect(calls).toEqual([]);
    },
  );

  it('a missing source is no missing image', async () => {
    pin = async () => {
      throw new EngineError('NotFound', 'bind source path does not exist: /none');
    };
    await expect(stage(jobWith(), '/none:/x')).rejects.toMatchObject({
      kind: 'InvalidArgument',
      message: 'invalid mount config for type "bind": bind source path does not exist: /none',
    });
  });

  it('read-only below by force needs the kernel', async () => {
    const mount = { Type: 'bind', Source: '/a', Target: '/x', ReadOnly: true };
    const hostConfig = makeHostConfig({
      Mounts: [{ ...mount, BindOptions: { ReadOnlyForceRecursive: true } }],
    });
    const old = jobWith({ kernelVersion: '5.10.1' });
    const stageIn = (job: Job): ReturnType<typeof stageBinds> =>
      stageBinds(job, { hostConfig, places: takeStagePlaces(job, 'c', undo) });
    await expect(stageIn(old)).rejects.toThrow('5.12');
    expect(await stageIn(jobWith())).toHaveLength(1);
  });
});

describe('with a job container', () => {
  it('looks in its process', async () => {
    isAlive = [true, true];
    const job = jobWith();
    await job.jobContainer.set(CONTAINER);
    await stage(job, '/own:/x');
    expect(calls).toEqual([['pin', '/own', 7], ['close']]);
  });

  it.each([[[false]], [[true, false]]])(
    'is not taken in by another process with the pid (%j)',
    async (alive) => {
      isAlive = alive;
      const job = jobWith();
      await job.jobContainer.set(CONTAINER);
      await expect(stage(job, '/own:/x')).rejects.toMatchObject({ kind: 'Unavailable' });
      // What was pinned, if it came to that, is let go of.
      expect(calls.length === 0 || calls.at(-1)?.[0] === 'close').toBe(true);
    },
  );
});
