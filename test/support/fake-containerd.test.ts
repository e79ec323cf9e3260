import { constants, openSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import type { TaskEvent } from '../../src/containerd/types.ts';
import { loadLibc } from '../../src/host/libc.ts';
import { createFakeContainerd, type FakeContainerd } from './fake-containerd.ts';

let directory: string;
let fake: FakeContainerd;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'berth-fake-'));
  fake = createFakeContainerd();
});
afterEach(() => rm(directory, { recursive: true }));

async function createTask(
  args: readonly string[],
  io: { readonly stdin: string; readonly stdout: string },
): Promise<void> {
  const spec = { typeUrl: 'spec', value: Buffer.from(JSON.stringify({ process: { args } })) };
  const { containers, tasks } = fake.containerd;
  const runtime = { name: 'io.containerd.runc.v2' };
  await containers.create({
    id: 'c1',
    labels: {},
    image: '',
    runtime,
    spec,
    snapshotter: '',
    snapshotKey: '',
    extensions: {},
  });
  await tasks.create({ containerId: 'c1', rootfs: [], ...io, stderr: '', terminal: false });
}

test('a program reads and writes the FIFOs it was given and its status is the exit status', async () => {
  const libc = await loadLibc();
  const [stdin, stdout] = [path.join(directory, 'in'), path.join(directory, 'out')];
  for (const file of [stdin, stdout]) libc.mkfifo(file, 0o600);
  const output = new Socket({
    fd: openSync(stdout, constants.O_RDONLY | constants.O_NONBLOCK),
    readable: true,
  });
  fake.setProgram(async (process) => {
    let input = '';
    for await (const bytes of process.stdin ?? []) input += String(bytes);
    await process.stdout(`${process.args.join(' ')}: ${input}`);
    return 5;
  });
  await createTask(['say', 'it'], { stdin, stdout });
  const { tasks } = fake.containerd;
  await tasks.start({ containerId: 'c1' });
  const writer = await open(stdin, 'w');
  await writer.writeFile('hello');
  await writer.close();
  let printed = '';
  for await (const bytes of output) printed += String(bytes);
  expect(printed).toBe('say it: hello');
  expect((await tasks.wait({ containerId: 'c1' })).exitStatus).toBe(5);
});

test('signals reach the program, SIGKILL ends it, and exits are events', async () => {
  const { tasks, events } = fake.containerd;
  const abort = new AbortController();
  const stream = await events.subscribe(['topic=="/tasks/exit"'], abort.signal);
  await createTask([], { stdin: '', stdout: '' });
  await tasks.start({ containerId: 'c1' });
  const exec = { containerId: 'c1', execId: 'e1' };
  await tasks.exec({
    ...exec,
    spec: { typeUrl: '', value: new Uint8Array() },
    stdin: '',
    stdout: '',
    stderr: '',
    terminal: false,
  });
  await tasks.start(exec);
  await tasks.kill({ ...exec, signal: 9 });
  expect((await tasks.wait(exec)).exitStatus).toBe(137);
  await tasks.kill({ containerId: 'c1', signal: 15 });
  expect((await tasks.wait({ containerId: 'c1' })).exitStatus).toBe(143);
  const seen: (TaskEvent | undefined)[] = [];
  for await (const { taskEvent } of stream) {
    if (seen.push(taskEvent) === 2) abort.abort();
  }
  expect(seen).toMatchObject([
    { kind: 'exit', id: 'e1' },
    { kind: 'exit', id: 'c1', exitStatus: 143 },
  ]);
});

test('calls are counted, and all fail while it is down', async () => {
  await fake.containerd.images.list();
  await expect(fake.containerd.images.get('x')).rejects.toMatchObject({ kind: 'NotFound' });
  fake.setDown(true);
  await expect(fake.containerd.ping()).rejects.toMatchObject({ kind: 'Unavailable' });
  fake.setDown(false);
  await fake.containerd.ping();
  expect(Object.fromEntries(fake.calls)).toEqual({ 'images.list': 1, 'images.get': 1, 'version.version': 2 });
  expect(fake.totalCalls()).toBe(4);
});
