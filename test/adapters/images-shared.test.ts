import { describe, expect, test } from 'vitest';
import { IMAGE_NAMESPACE } from '../../src/containerd/job-store.ts';
import { ignoreAbsent } from '../../src/engine/ignore-absent.ts';
import { resolveImage } from '../../src/engine/images/resolve-image.ts';
import { sweepStore } from '../../src/job/sweep-store.ts';
import { createRandomId } from '../../src/lib/random-id.ts';
import { buildImage } from '../support/image-builder.ts';
import { pullAll, storedAfterCollection } from '../support/image-job.ts';
import { serveMemoryRegistry } from '../support/memory-registry.ts';
import {
  cacheWords,
  emptyCache,
  NOTHING,
  pullWith,
  uniqueImage,
  useSharedImages,
} from '../support/shared-images.ts';

// Several jobs on one containerd: what one has pulled, another need not.

const shared = useSharedImages();

describe('a second job', () => {
  test('gets an image that another has for one request, with nothing transferred or unpacked', async () => {
    const registry = await serveMemoryRegistry();
    registry.put('team/app', 'v1', await uniqueImage());
    const [first, second] = [shared.openJob(), shared.openJob()];
    await pullAll(first.job, `${registry.host}/team/app:v1`);
    const before = registry.seen.length;
    const snapshots = await shared.images.snapshots.list();
    // Its own record keeps the image: a lease would be three more writes.
    second.job.store.leases.create = () => Promise.reject(new Error('a lease was asked for'));
    const lines = await pullAll(second.job, `${registry.host}/team/app:v1`);
    expect(registry.seen.slice(before).map(({ method }) => method)).toEqual(['HEAD']);
    expect(await shared.images.snapshots.list()).toEqual(snapshots);
    expect(lines.map(({ status }) => status)).toEqual([
      'Pulling from team/app',
      'Already exists',
      'Already exists',
      expect.stringContaining('Digest: '),
      `Status: Downloaded newer image for ${registry.host}/team/app:v1`,
    ]);
    expect(second.job.pulls.recent()).toMatchObject([{ cache: 'hit', networkBytes: 0 }]);
    await first.end();
    const { chainId } = resolveImage(second.job, `${registry.host}/team/app:v1`);
    await storedAfterCollection(shared.images);
    expect((await shared.images.snapshots.stat(chainId)).kind).toBe('committed');
    expect(await second.end()).toEqual([]);
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });

  test('gets it after the first has ended, when an owner keeps it, also by digest without asking', async () => {
    const registry = await serveMemoryRegistry();
    const { digest } = registry.put('team/app', 'v1', await uniqueImage());
    const cache = shared.cacheOf();
    const first = shared.openJob({ cache });
    await pullAll(first.job, `${registry.host}/team/app:v1`);
    await first.end();
    await storedAfterCollection(shared.images);
    const reads = registry.blobReads();
    const second = shared.openJob({ cache });
    await pullAll(second.job, `${registry.host}/team/app:v1`);
    expect(registry.blobReads()).toBe(reads);
    const before = registry.seen.length;
    const third = shared.openJob({ cache });
    await pullAll(third.job, `${registry.host}/team/app@${digest}`);
    expect(registry.seen.slice(before)).toEqual([]);
    expect(cacheWords(third.job)).toEqual(['hit']);
    await Promise.all([second.end(), third.end()]);
    expect(await emptyCache(shared)).toBe(1);
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });

  test('that pulls at the same time downloads nothing and unpacks nothing a second time', async () => {
    const registry = await serveMemoryRegistry();
    const image = await uniqueImage();
    registry.put('team/app', 'v1', image);
    const jobs = [shared.openJob(), shared.openJob(), shared.openJob()];
    const over = new AbortController();
    const prepared = await shared.images.events.subscribe(
      [`namespace==${IMAGE_NAMESPACE},topic=="/snapshot/prepare"`],
      over.signal,
    );
    await Promise.all(jobs.map(({ job }) => pullAll(job, `${registry.host}/team/app:v1`)));
    const layers = registry.seen.filter(
      ({ method, url }) => method === 'GET' && image.layers.some(({ digest }) => url.endsWith(digest)),
    );
    expect(layers).toHaveLength(image.layers.length);
    await shared.images.snapshots.prepare({ key: 'marker', parent: '' });
    let unpackings = -1;
    for await (const { topic, event } of prepared) {
      expect(topic).toBe('/snapshot/prepare');
      unpackings += 1;
      if (Buffer.from(event.value).includes('marker')) over.abort();
    }
    expect(unpackings).toBe(image.layers.length);
    // Nothing keeps it: a collection may have been faster.
    await ignoreAbsent(shared.images.snapshots.remove('marker'));
    await Promise.all(jobs.map((one) => one.end()));
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });

  test('fetches what is collected after it was found and before a record of its own keeps it', async () => {
    const registry = await serveMemoryRegistry();
    const image = await uniqueImage();
    const name = `${registry.host}/team/app:v1`;
    registry.put('team/app', 'v1', image);
    const [first, second] = [shared.openJob(), shared.openJob()];
    await pullAll(first.job, name);
    const { images } = second.job;
    const put = images.put.bind(images);
    const puts: (readonly string[])[] = [];
    images.put = async (given, names) => {
      if (puts.length === 0) {
        await first.end();
        expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
      }
      puts.push(names.map(({ kind }) => kind));
      await put(given, names);
    };
    await pullAll(second.job, name);
    expect(puts).toEqual([['digest'], ['tag', 'digest']]);
    expect(cacheWords(second.job)).toEqual(['miss']);
    const { chainId } = resolveImage(second.job, name);
    expect((await shared.images.snapshots.stat(chainId)).kind).toBe('committed');
    expect(await second.end()).toEqual([]);
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });

  test('asks again where a tag has moved, and takes what it shares with the old image', async () => {
    const registry = await serveMemoryRegistry();
    const old = await uniqueImage();
    registry.put('team/app', 'v1', old);
    const [first, second] = [shared.openJob(), shared.openJob()];
    await pullAll(first.job, `${registry.host}/team/app:v1`);
    const moved = await buildImage({
      base: 'scratch',
      layers: [[{ type: 'file', path: 'other', content: createRandomId() }]],
    });
    registry.put('team/app', 'v1', moved);
    await pullAll(second.job, `${registry.host}/team/app:v1`);
    expect(resolveImage(second.job, `${registry.host}/team/app:v1`).id).toBe(moved.config.digest);
    await Promise.all([first.end(), second.end()]);
  });
});

test('an image that the job has under another name says nothing of its layers, as with dockerd', async () => {
  const registry = await serveMemoryRegistry();
  const image = await uniqueImage();
  for (const tag of ['v1', 'v2']) registry.put('team/app', tag, image);
  registry.put('team/other', 'v1', image);
  const { job, end } = shared.openJob();
  await pullAll(job, `${registry.host}/team/app:v1`);
  for (const name of ['team/app:v2', 'team/other:v1']) {
    const lines = await pullAll(job, `${registry.host}/${name}`);
    expect(lines.map(({ status }) => status)).toEqual([
      `Pulling from ${name.slice(0, -3)}`,
      expect.stringContaining('Digest: '),
      `Status: Downloaded newer image for ${registry.host}/${name}`,
    ]);
  }
  expect(await end()).toEqual([]);
});

describe('a full disk', () => {
  test('drops what was used longest ago, and never what a job uses', async () => {
    const registry = await serveMemoryRegistry();
    let now = 1;
    const used = [90, 90, 65];
    const cache = shared.cacheOf({
      usedPercent: () => Promise.resolve(used.shift() ?? 65),
      nowMs: () => now++,
    });
    const [running, ended] = [shared.openJob({ cache }), shared.openJob({ cache })];
    for (const tag of ['oldest', 'old', 'new']) registry.put('team/app', tag, await uniqueImage());
    used.unshift(0, 0, 0);
    await pullAll(running.job, `${registry.host}/team/app:oldest`);
    for (const tag of ['old', 'new']) await pullAll(ended.job, `${registry.host}/team/app:${tag}`);
    await running.job.tasks.idle();
    await ended.job.tasks.idle();
    await ended.end();
    expect(await cache.makeRoom()).toBe(1);
    const kept = (await shared.images.images.list()).map(({ labels }) => labels['berth/cache.name']);
    expect(kept.filter((name) => name !== undefined)).toEqual(
      expect.arrayContaining([`${registry.host}/team/app:oldest`, `${registry.host}/team/app:new`]),
    );
    expect(kept).not.toContain(`${registry.host}/team/app:old`);
    await running.end();
    await emptyCache(shared);
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });
});

test('a pull that breaks off half-way leaves nothing when its job ends', async () => {
  const registry = await serveMemoryRegistry();
  const image = await buildImage({
    base: 'scratch',
    compression: 'none',
    layers: [[{ type: 'file', path: 'big', content: 'x'.repeat(3_000_000) }]],
  });
  registry.put('team/app', 'v1', image);
  const { job, end } = shared.openJob({ cache: shared.cacheOf() });
  const leaving = new AbortController();
  registry.intercept(({ url = '', method }, response) => {
    const layer = image.layers[0];
    if (method !== 'GET' || !layer || !url.endsWith(layer.digest)) return false;
    response.writeHead(200, { 'content-length': layer.bytes.length });
    response.write(layer.bytes.subarray(0, 2_000_000), () => setTimeout(() => leaving.abort(), 50));
    return true;
  });
  const pull = pullWith(job, `${registry.host}/team/app:v1`, { signal: leaving.signal });
  await expect(pull).rejects.toMatchObject({ kind: 'Cancelled' });
  expect(await end()).toEqual([]);
  expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  await sweepStore(shared.containerd, 'nobody');
  expect((await shared.containerd.namespaces.list()).map(({ name }) => name)).not.toContain(IMAGE_NAMESPACE);
});
