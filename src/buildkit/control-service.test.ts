import { expect, test } from 'vitest';
import { EngineError } from '../errors.ts';
import { build, useFront } from '../../test/support/build-front.ts';
import { loadMethods } from './definitions.ts';

const front = useFront();

test('the status tells what went before it was asked for, and ends with the build', async () => {
  const step = {
    digest: 'sha256:1',
    name: 'FROM x',
    inputs: [],
    isCached: true,
    startedAt: 1_500,
    completedAt: undefined,
    error: '',
  };
  const asking = await front.connectWith({}, (_request, report) => {
    void report({ kind: 'step', step });
    void report({ kind: 'log', digest: 'sha256:1', isError: true, bytes: Buffer.from('words') });
    return Promise.resolve({});
  });
  await build(asking);
  const { Status } = await loadMethods('control');
  const call = asking.control.open(Status, {});
  call.send({ Ref: 'build-1' });
  call.end();
  const told = [];
  for await (const status of call.messages) told.push(status);
  expect(told[0]?.vertexes).toMatchObject([
    {
      digest: 'sha256:1',
      name: 'FROM x',
      cached: true,
      started: { seconds: 1, nanos: 500_000_000 },
      completed: null,
    },
  ]);
  expect(told[1]?.logs).toMatchObject([{ stream: 2, msg: Buffer.from('words') }]);
  expect(told).toHaveLength(2);
});

test('a build goes on at the pace of who follows it', async () => {
  const bytes = Buffer.alloc(32_768, 'x');
  const count = 500;
  let reported = 0;
  const asking = await front.connectWith({}, async (_request, report) => {
    await following;
    for (; reported < count; reported += 1)
      await report({ kind: 'log', digest: 'sha256:1', isError: false, bytes });
    return {};
  });
  const { Status } = await loadMethods('control');
  const call = asking.control.open(Status, {});
  const following = new Promise((resolve) => setTimeout(resolve, 100));
  call.send({ Ref: 'build-1' });
  call.end();
  const built = build(asking);
  let before = -1;
  await expect
    .poll(
      () => {
        const isStill = reported > 0 && reported === before;
        before = reported;
        return isStill;
      },
      { interval: 200, timeout: 5_000 },
    )
    .toBe(true);
  // What sockets and windows take, and not the whole of it.
  expect(reported).toBeLessThan(count / 2);
  let read = 0;
  for await (const { logs } of call.messages) for (const { msg } of logs) read += msg.length;
  expect(read).toBe(count * bytes.length);
  await built;
});

test('who gives up a build without reading its status does not hold it', async () => {
  let ended: (value: unknown) => void = () => undefined;
  const end = new Promise((resolve) => {
    ended = resolve;
  });
  const asking = await front.connectWith({}, async ({ signal }, report) => {
    while (!signal.aborted)
      await report({ kind: 'log', digest: 'sha256:1', isError: false, bytes: Buffer.alloc(32_768) });
    ended('aborted');
    throw new EngineError('Cancelled', 'cancelled');
  });
  const { Solve, Status } = await loadMethods('control');
  const status = asking.control.open(Status, {});
  status.send({ Ref: 'build-1' });
  status.end();
  const solve = asking.control.open(Solve, {});
  solve.send({ Ref: 'build-1', Session: 'session-1', Frontend: 'dockerfile.v0' });
  solve.end();
  await new Promise((resolve) => setTimeout(resolve, 300));
  solve.cancel();
  expect(await end).toBe('aborted');
});

test('what builds keep is told, and freed as it is asked', async () => {
  const asking = await front.connectWith({}, () => Promise.resolve({}));
  const { DiskUsage, Prune } = await loadMethods('control');
  const shown = { ID: 'k', Size: 5, RecordType: 'exec.cachemount', Mutable: true, Description: 'mount /c' };
  expect((await asking.control.unary(DiskUsage, {})).record).toMatchObject([
    { ...shown, LastUsedAt: { seconds: 1_704_067_200, nanos: 0 } },
  ]);
  expect((await asking.control.unary(DiskUsage, { filter: ['none'] })).record).toEqual([]);
  const call = asking.control.open(Prune, {});
  call.send({ filter: ['type==regular'], all: true, keepDuration: 3_600e9, keepBytes: 10, maxUsedSpace: 20 });
  call.end();
  const freed = [];
  for await (const record of call.messages) freed.push(record);
  expect(freed).toMatchObject([shown]);
  expect(front.pruned).toEqual([{ filters: ['type==regular'], all: true, keepMs: 3_600_000, keepBytes: 20 }]);
});

test('what a client is refused is told of, whatever it asked for', async () => {
  const asking = await front.connectWith({}, () => Promise.reject(new EngineError('PermissionDenied', 'no')));
  await expect(build(asking, { Definition: Buffer.from('x') })).rejects.toThrow('LLB');
  await expect(build(asking, { Ref: 'build-2' })).rejects.toThrow('no');
  expect(front.refused.map(({ kind }) => kind)).toEqual(['NotImplemented', 'PermissionDenied']);
});
