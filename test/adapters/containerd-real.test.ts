import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { encodeRuncOptions } from '../../src/containerd/runc-options.ts';
import type { Containerd, TaskEvent } from '../../src/containerd/types.ts';
import { startRealContainerd, type RealContainerd } from '../support/real-containerd.ts';
import {
  busyboxLayer,
  json,
  makeFifos,
  ociProcess,
  ociSpec,
  processType,
  type Fifos,
} from './containerd-fixtures.ts';
import { digestOf, expectKind, inPieces } from './containerd-suite.ts';

const snapshotter = 'overlayfs';

function cgroupsLeft(): string {
  return execFileSync('find', ['/sys/fs/cgroup', '-depth', '-name', 'berth-adapters']).toString();
}

describe('containers on real containerd', () => {
  let real: RealContainerd;
  let fifoDir: string;
  let client: Containerd;
  let parent: string;
  beforeAll(async () => {
    real = await startRealContainerd();
    fifoDir = await mkdtemp(path.join(tmpdir(), 'berth-fifos-'));
    const plain = real.connect('berth-tasks');
    await plain.leases.create({ id: 'job' });
    client = plain.withLease('job');
    parent = await unpack(client, await busyboxLayer());
  });
  afterAll(async () => {
    // What a failed test left running would outlive the daemon.
    for (const { containerId } of await client.tasks.list()) {
      await client.tasks.kill({ containerId, signal: 9 }).catch(() => undefined);
      await client.tasks.wait({ containerId });
      await client.tasks.delete(containerId);
    }
    await real.stop();
    await rm(fifoDir, { recursive: true, force: true });
    for (const directory of cgroupsLeft().split('\n').filter(Boolean)) execFileSync('rmdir', [directory]);
  });

  async function unpack(containerd: Containerd, layer: Buffer): Promise<string> {
    const digest = digestOf(layer);
    await containerd.content.write({ ref: 'layer', size: layer.length, digest }, inPieces(layer, 65_536));
    const snapshots = containerd.snapshots;
    const mounts = await snapshots.prepare({ key: 'unpack', parent: '' });
    const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
    const applied = await containerd.diff.apply(
      { mediaType, digest, size: layer.length, annotations: {} },
      mounts,
    );
    await snapshots.commit({ name: applied.digest, key: 'unpack' });
    return applied.digest;
  }

  async function createTask(id: string, args: readonly string[]): Promise<Fifos & { readonly pid: number }> {
    const rootfs = await client.snapshots.prepare({ key: id, parent });
    const runtime = { name: 'io.containerd.runc.v2' };
    const spec = ociSpec(id, args);
    const record = { id, labels: {}, image: '', runtime, spec, snapshotter, snapshotKey: id, extensions: {} };
    await client.containers.create(record);
    const fifos = await makeFifos(fifoDir, id);
    const { stdin, stdout, stderr } = fifos;
    // runc's default root is shared by all containerds of the host.
    const runtimeOptions = await encodeRuncOptions({
      binaryName: 'runc',
      root: path.join(real.root, 'runc'),
    });
    const task = { containerId: id, rootfs, stdin, stdout, stderr, terminal: false, runtimeOptions };
    const { pid } = await client.tasks.create(task);
    return { ...fifos, pid };
  }

  async function remove(id: string): Promise<void> {
    await client.tasks.delete(id);
    await client.containers.delete(id);
    await client.snapshots.remove(id);
  }

  test('a process runs, prints, exits, and its exit is told by wait, get, delete and an event', async () => {
    const abort = new AbortController();
    const events = await client.events.subscribe(
      ['namespace==berth-tasks,topic=="/tasks/exit"'],
      abort.signal,
    );
    const { output, pid } = await createTask('hello', ['sh', '-c', 'echo hello; exit 7']);
    expect((await client.tasks.get({ containerId: 'hello' })).status).toBe('created');
    const waiting = client.tasks.wait({ containerId: 'hello' });
    await client.tasks.start({ containerId: 'hello' });
    const { exitStatus, exitedAt } = await waiting;
    expect(exitStatus).toBe(7);
    expect(Math.abs((exitedAt?.getTime() ?? 0) - Date.now())).toBeLessThan(30_000);
    expect(await output).toBe('hello\n');
    const seen: (TaskEvent | undefined)[] = [];
    for await (const { taskEvent } of events) {
      seen.push(taskEvent);
      abort.abort();
    }
    expect(seen[0]).toMatchObject({ kind: 'exit', containerId: 'hello', id: 'hello', pid, exitStatus: 7 });
    expect(await client.tasks.get({ containerId: 'hello' })).toMatchObject({
      status: 'stopped',
      exitStatus: 7,
    });
    await expectKind(client.tasks.kill({ containerId: 'hello', signal: 9 }), 'NotFound');
    await remove('hello');
  });

  test('a running task takes execs, stdin, pause, limits and signals', async () => {
    const containerId = 'long';
    const { stdin, output } = await createTask(containerId, ['cat']);
    await client.tasks.start({ containerId });
    const fifos = await makeFifos(fifoDir, 'exec');
    const spec = json(processType, ociProcess(['sh', '-c', 'echo from exec; exit 3']));
    const { stdin: execIn, stdout, stderr } = fifos;
    const io = { stdin: execIn, stdout, stderr, terminal: false };
    await client.tasks.exec({ containerId, execId: 'e1', spec, ...io });
    await client.tasks.start({ containerId, execId: 'e1' });
    expect((await client.tasks.wait({ containerId, execId: 'e1' })).exitStatus).toBe(3);
    expect(await fifos.output).toBe('from exec\n');
    expect(await client.tasks.deleteProcess({ containerId, execId: 'e1' })).toMatchObject({ exitStatus: 3 });

    const writer = await open(stdin, 'w');
    await writer.writeFile('over stdin\n');
    await writer.close();
    await client.tasks.closeIo({ containerId });
    expect((await client.tasks.wait({ containerId })).exitStatus).toBe(0);
    expect(await output).toBe('over stdin\n');
    await remove(containerId);
  });

  test('a task is paused, counted, limited and killed', async () => {
    const containerId = 'victim';
    const { pid } = await createTask(containerId, ['cat']);
    await client.tasks.start({ containerId });
    expect(await client.tasks.pids(containerId)).toEqual([{ pid }]);
    expect((await client.tasks.list()).map((task) => task.containerId)).toContain(containerId);
    await client.tasks.pause(containerId);
    expect((await client.tasks.get({ containerId })).status).toBe('paused');
    await client.tasks.resume(containerId);
    const resources = json('types.containerd.io/opencontainers/runtime-spec/1/LinuxResources', {
      pids: { limit: 99 },
    });
    await client.tasks.update({ containerId, resources });
    expect((await client.tasks.metrics(containerId)).value.length).toBeGreaterThan(0);
    await expect(client.tasks.delete(containerId)).rejects.toThrow(/running/);
    const abort = new AbortController();
    const cancelled = client.tasks.wait({ containerId }, abort.signal);
    abort.abort();
    await expectKind(cancelled, 'Cancelled');
    await client.tasks.kill({ containerId, signal: 9 });
    expect((await client.tasks.wait({ containerId })).exitStatus).toBe(137);
    await remove(containerId);
  });

  test("a program that is not there fails with the runtime's words", async () => {
    const rejection = createTask('nothing', ['/no/such/program']);
    await expect(rejection).rejects.toThrow(/no such file or directory/);
    await client.containers.delete('nothing');
    await client.snapshots.remove('nothing');
  });

  test('garbage collection keeps what is leased and takes what nothing refers to', async () => {
    const plain = real.connect('berth-gc');
    await plain.leases.create({ id: 'keep' });
    await plain.leases.create({ id: 'drop' });
    await plain.withLease('keep').snapshots.prepare({ key: 'kept', parent: '' });
    await plain.withLease('drop').snapshots.prepare({ key: 'lost', parent: '' });
    const [kept, lost] = [Buffer.from('kept'), Buffer.from('lost')];
    for (const [lease, bytes] of [
      ['keep', kept],
      ['drop', lost],
    ] as const) {
      const content = { ref: lease, size: bytes.length, digest: digestOf(bytes) };
      await plain.withLease(lease).content.write(content, inPieces(bytes, 4));
    }
    await plain.leases.delete('drop', { sync: true });
    expect((await plain.snapshots.stat('kept')).name).toBe('kept');
    await expectKind(plain.snapshots.stat('lost'), 'NotFound');
    expect((await plain.content.info(digestOf(kept))).size).toBe(4);
    await expectKind(plain.content.info(digestOf(lost)), 'NotFound');
    await plain.leases.delete('keep', { sync: true });
  });

  test('a killed containerd makes calls Unavailable, and the same client works with the next one', async () => {
    const containerId = 'survivor';
    await createTask(containerId, ['cat']);
    await client.tasks.start({ containerId });
    const broken = expectKind(client.tasks.wait({ containerId }), 'Unavailable');
    const events = await client.events.subscribe([], new AbortController().signal);
    const first = events[Symbol.asyncIterator]().next();
    const brokenStream = expectKind(first, 'Unavailable');
    process.kill(await real.pid(), 'SIGKILL');
    await Promise.all([broken, brokenStream]);
    const startedAt = Date.now();
    await expect(client.ping()).rejects.toThrow(`cannot connect to containerd at ${real.address}`);
    expect(Date.now() - startedAt).toBeLessThan(2000);
    await real.ensureRunning();
    // The channel's back-off ends within half a second of containerd's return.
    const deadline = Date.now() + 2000;
    while (
      !(await client.ping().then(
        () => true,
        () => false,
      ))
    ) {
      expect(Date.now()).toBeLessThan(deadline);
      await sleep(20);
    }
    expect((await client.tasks.get({ containerId })).status).toBe('running');
    await client.tasks.kill({ containerId, signal: 9 });
    expect((await client.tasks.wait({ containerId })).exitStatus).toBe(137);
    await remove(containerId);
  });
});
