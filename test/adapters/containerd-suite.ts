import { createHash, randomBytes, randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Containerd, EventEnvelope, NewContainer } from '../../src/containerd/types.ts';
import { isErrorKind, type ErrorKind } from '../../src/errors.ts';

/** What the suite is run on. */
export interface SuiteTarget {
  readonly containerd: Containerd;
  stop(): Promise<void>;
}

/** Digest as OCI writes it. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Asserts that the promise fails with an EngineError of the kind. */
export async function expectKind(promise: Promise<unknown>, kind: ErrorKind): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(isErrorKind(error, kind), `${kind}, got ${String(error)}`).toBe(true);
}

/** The bytes in pieces of the size. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

/** All of a stream. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

function newContainer(id: string, labels: Readonly<Record<string, string>> = {}): NewContainer {
  const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
  return {
    id,
    labels,
    image: '',
    runtime: { name: 'io.containerd.runc.v2' },
    spec: {
      typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
      value: json({ ociVersion: '1.0.2' }),
    },
    snapshotter: '',
    snapshotKey: '',
    extensions: { 'berth.test': { typeUrl: 'berth.test/json', value: json({ answer: 42 }) } },
  };
}

/** Behaviour that the fake and the real containerd share. */
export function describeContainerd(name: string, start: () => Promise<SuiteTarget>): void {
  describe(name, () => {
    let target: SuiteTarget;
    beforeAll(async () => {
      target = await start();
    });
    afterAll(() => target.stop());
    recordTests(() => target.containerd);
    contentTests(() => target.containerd);
    storeTests(() => target);
    eventTests(() => target.containerd);
  });
}

function recordTests(containerd: () => Containerd): void {
  test('containers keep extensions, change by field path and conflict by id', async () => {
    const { containers } = containerd();
    const id = randomUUID();
    await containers.create(newContainer(id, { keep: 'a', drop: 'b' }));
    await expectKind(containers.create(newContainer(id)), 'Conflict');
    const value = Buffer.from('{"answer":43}');
    const change = {
      id,
      labels: { drop: '' },
      extensions: { 'berth.test': { typeUrl: 'berth.test/json', value } },
    };
    await containers.update(change, ['labels.drop', 'extensions.berth.test']);
    const stored = await containers.get(id);
    expect(stored.labels).toEqual({ keep: 'a' });
    expect(Buffer.from(stored.extensions['berth.test']?.value ?? []).toString()).toBe('{"answer":43}');
    expect(stored.createdAt.getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect((await containers.list([`labels.keep==a`])).map((one) => one.id)).toContain(id);
    await containers.delete(id);
    await expectKind(containers.get(id), 'NotFound');
  });

  test('images, leases and namespaces are records with labels', async () => {
    const { images, leases, namespaces } = containerd();
    const image = `test/${randomUUID()}`;
    const digest = digestOf(Buffer.from(image));
    const target = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest,
      size: 7,
      annotations: {},
    };
    await images.create({ name: image, labels: { a: '1' }, target });
    await expectKind(images.create({ name: image, labels: {}, target }), 'Conflict');
    await images.update({ name: image, labels: { b: '2' }, target }, ['labels.b']);
    expect((await images.get(image)).labels).toEqual({ a: '1', b: '2' });
    await images.delete(image, { sync: true });
    await expectKind(images.get(image), 'NotFound');

    const id = randomUUID();
    const lease = await leases.create({
      id,
      labels: { a: '1' },
      expiresAt: new Date('2100-01-01T00:00:00.5Z'),
    });
    expect(lease.labels).toEqual({ a: '1', 'containerd.io/gc.expire': '2100-01-01T00:00:00Z' });
    expect((await leases.list()).map((one) => one.id)).toContain(id);
    await leases.delete(id, { sync: true });
    expect((await leases.list()).map((one) => one.id)).not.toContain(id);
    await leases.delete(id);

    const name = `berth-${randomUUID()}`;
    await namespaces.create({ name, labels: { owner: 'x' } });
    await namespaces.updateLabels(name, { owner: '', other: 'y' });
    expect((await namespaces.get(name)).labels).toEqual({ other: 'y' });
    await namespaces.delete(name);
    await expectKind(namespaces.get(name), 'NotFound');
  });
}

function contentTests(containerd: () => Containerd): void {
  test('content is written in pieces, read back whole and in part, and found the second time', async () => {
    const { content } = containerd();
    const bytes = randomBytes(3 * 1024 * 1024 + 17);
    const blob = { ref: randomUUID(), size: bytes.length, digest: digestOf(bytes), labels: { from: 'test' } };
    const first = await content.write(blob, inPieces(bytes, 40_000));
    expect(first).toEqual({ digest: blob.digest, size: bytes.length, alreadyPresent: false });
    expect((await content.info(blob.digest)).labels).toEqual({ from: 'test' });
    expect(digestOf(await collect(content.read(blob.digest)))).toBe(blob.digest);
    const part = await collect(content.read(blob.digest, { offset: 1_000_000, size: 99 }));
    expect(part.equals(bytes.subarray(1_000_000, 1_000_099))).toBe(true);
    const unread = (): never => {
      throw new Error('the source was read');
    };
    const again = await content.write({ ...blob, ref: randomUUID(), labels: { more: 'b' } }, unread);
    expect(again.alreadyPresent).toBe(true);
    expect((await content.info(blob.digest)).labels).toEqual({ from: 'test', more: 'b' });
    await content.delete(blob.digest);
    await expectKind(content.info(blob.digest), 'NotFound');
    await expectKind(collect(content.read(blob.digest)), 'NotFound');
  });

  test('an empty blob and one of unknown digest can be written', async () => {
    const { content } = containerd();
    const empty = await content.write(
      { ref: randomUUID(), size: 0, digest: digestOf(Buffer.alloc(0)) },
      inPieces(Buffer.alloc(0), 1),
    );
    expect(empty.size).toBe(0);
    const bytes = randomBytes(1000);
    const unknown = await content.write({ ref: randomUUID(), size: 0, digest: '' }, inPieces(bytes, 10));
    expect(unknown.digest).toBe(digestOf(bytes));
  });

  test('a wrong digest is refused and leaves nothing to resume', async () => {
    const { content } = containerd();
    const ref = randomUUID();
    const bytes = randomBytes(5000);
    const wrong = { ref, size: bytes.length, digest: digestOf(Buffer.from('other')) };
    await expectKind(content.write(wrong, inPieces(bytes, 100)), 'Conflict');
    await expectKind(content.status(ref), 'NotFound');
  });

  test('a write whose source broke goes on where it ended', async () => {
    const { content } = containerd();
    const bytes = randomBytes(5 * 1024 * 1024);
    const blob = { ref: randomUUID(), size: bytes.length, digest: digestOf(bytes) };
    const broken = async function* (): AsyncGenerator<Uint8Array, void> {
      yield* inPieces(bytes.subarray(0, 3 * 1024 * 1024), 1024 * 1024);
      throw new Error('the network broke');
    };
    await expect(content.write(blob, broken())).rejects.toThrow('the network broke');
    const asked: number[] = [];
    const written = await content.write(blob, (offset) => {
      asked.push(offset);
      return inPieces(bytes.subarray(offset), 65_536);
    });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toBeGreaterThan(0);
    expect(written.size).toBe(bytes.length);
    expect(digestOf(await collect(content.read(blob.digest)))).toBe(blob.digest);
  });

  test('an aborted write is Cancelled and can be thrown away', async () => {
    const { content } = containerd();
    const abort = new AbortController();
    abort.abort();
    const write = content.write(
      { ref: randomUUID(), size: 9, digest: '' },
      inPieces(Buffer.alloc(9), 1),
      abort.signal,
    );
    await expectKind(write, 'Cancelled');
  });
}

function storeTests(target: () => SuiteTarget): void {
  test('snapshots are prepared, committed, listed and removed from leaf to root', async () => {
    const lease = randomUUID();
    await target().containerd.leases.create({ id: lease });
    const leased = target().containerd.withLease(lease);
    const snapshots = leased.snapshots;
    const [base, top, draft] = [randomUUID(), randomUUID(), randomUUID()];
    await snapshots.prepare({ key: draft, parent: '', labels: { a: '1' } });
    await snapshots.commit({ name: base, key: draft, labels: { b: '2' } });
    const mounts = await snapshots.prepare({ key: top, parent: base });
    expect(mounts).toHaveLength(1);
    expect(await snapshots.mounts(top)).toEqual(mounts);
    expect(await snapshots.stat(top)).toMatchObject({ parent: base, kind: 'active' });
    expect(await snapshots.stat(base)).toMatchObject({ kind: 'committed' });
    await expectKind(snapshots.prepare({ key: top, parent: base }), 'Conflict');
    await expectKind(snapshots.remove(base), 'Conflict');
    expect((await snapshots.updateLabels(top, { c: '3' })).labels).toMatchObject({ c: '3' });
    expect((await snapshots.usage(top)).sizeBytes).toBeGreaterThan(0);
    expect((await snapshots.list()).map((one) => one.name)).toEqual(expect.arrayContaining([base, top]));
    const kept = await leased.leases.listResources(lease);
    expect(kept).toContainEqual({ id: top, type: `snapshots/${target().containerd.snapshots.snapshotter}` });
    await snapshots.remove(top);
    await snapshots.remove(base);
    await expectKind(snapshots.stat(base), 'NotFound');
    await leased.leases.delete(lease);
  });

  test('tasks that are not there are NotFound', async () => {
    const { tasks } = target().containerd;
    const containerId = randomUUID();
    await expectKind(tasks.get({ containerId }), 'NotFound');
    await expectKind(tasks.kill({ containerId, signal: 9 }), 'NotFound');
    await expectKind(tasks.wait({ containerId }), 'NotFound');
    await expectKind(tasks.delete(containerId), 'NotFound');
  });
}

function eventTests(containerd: () => Containerd): void {
  test('a subscription sees what happens after it, and ends with its signal', async () => {
    const client = containerd();
    const abort = new AbortController();
    const filter = `namespace==${client.namespace},topic=="/containers/create"`;
    const events = await client.events.subscribe([filter], abort.signal);
    const id = randomUUID();
    await client.containers.create(newContainer(id));
    const seen: EventEnvelope[] = [];
    for await (const event of events) {
      seen.push(event);
      abort.abort();
    }
    expect(seen[0]).toMatchObject({ namespace: client.namespace, topic: '/containers/create' });
    await client.containers.delete(id);
  });
}
