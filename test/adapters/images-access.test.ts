import { describe, expect, test } from 'vitest';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { loadAll, pullAll, storedAfterCollection } from '../support/image-job.ts';
import { serveMemoryRegistry } from '../support/memory-registry.ts';
import { basicHeader, credentials } from '../support/scripted-server.ts';
import {
  cacheWords,
  emptyCache,
  NOTHING,
  pullWith,
  uniqueImage,
  useSharedImages,
} from '../support/shared-images.ts';

// All jobs' layers are in one place: nobody gets what his registry has not given him.

const shared = useSharedImages();

describe('an image that needs credentials', () => {
  test('is only for the job that has them, by tag and by digest', async () => {
    const registry = await serveMemoryRegistry();
    const { digest } = registry.put('team/secret', 'v1', await uniqueImage());
    registry.requireAuthorization(basicHeader);
    const [owner, thief, friend] = [shared.openJob(), shared.openJob(), shared.openJob()];
    await pullWith(owner.job, `${registry.host}/team/secret:v1`, { credentials });
    for (const name of ['team/secret:v1', `team/secret@${digest}`])
      await expect(pullWith(thief.job, `${registry.host}/${name}`)).rejects.toMatchObject({
        kind: 'Unauthenticated',
      });
    expect(thief.job.images.list()).toEqual([]);
    const reads = registry.blobReads();
    await pullWith(friend.job, `${registry.host}/team/secret:v1`, { credentials });
    expect(registry.blobReads()).toBe(reads);
    const asked = registry.seen.filter(({ method, url }) => method === 'HEAD' && url.includes('/blobs/'));
    expect(asked).toHaveLength(3);
    await Promise.all([owner, thief, friend].map((one) => one.end()));
  });

  test('is not given where the registry refuses a layer now', async () => {
    const registry = await serveMemoryRegistry();
    const image = await uniqueImage();
    registry.put('team/secret', 'v1', image);
    registry.requireAuthorization(basicHeader);
    const [owner, other] = [shared.openJob(), shared.openJob()];
    await pullWith(owner.job, `${registry.host}/team/secret:v1`, { credentials });
    registry.intercept(({ url = '' }, response) => {
      if (!url.endsWith(image.layers[1]?.digest ?? '')) return false;
      response.writeHead(404).end();
      return true;
    });
    await expect(
      pullWith(other.job, `${registry.host}/team/secret:v1`, { credentials }),
    ).rejects.toMatchObject({
      kind: 'NotFound',
    });
    expect(other.job.images.list()).toEqual([]);
    await Promise.all([owner.end(), other.end()]);
  });
});

describe('a digest alone gives nothing', () => {
  test.each([
    ['a registry that says that it has every blob', true],
    ['a registry that has the manifest alone', false],
  ])('of %s', async (_name, isLying) => {
    const honest = await serveMemoryRegistry();
    const image = await uniqueImage();
    honest.put('team/app', 'v1', image);
    const victim = shared.openJob({ cache: shared.cacheOf() });
    await pullAll(victim.job, `${honest.host}/team/app:v1`);
    const hostile = await serveMemoryRegistry();
    hostile.put('evil/app', 'v1', image);
    hostile.intercept(({ url = '', method }, response) => {
      if (!url.includes('/blobs/')) return false;
      if (isLying && method === 'HEAD') response.writeHead(200, { 'content-length': 100 }).end();
      else response.writeHead(404).end();
      return true;
    });
    const attacker = shared.openJob();
    for (const host of [hostile.host, hostile.host, hostile.host.replace('127.0.0.1', 'localhost')])
      await expect(pullAll(attacker.job, `${host}/evil/app:v1`)).rejects.toMatchObject({ kind: 'NotFound' });
    await expect(pullWith(attacker.job, `${hostile.host}/evil/app:v1`, { credentials })).rejects.toThrow();
    expect(attacker.job.images.list()).toEqual([]);
    await Promise.all([victim.end(), attacker.end()]);
    await emptyCache(shared);
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });

  test('of a registry that has the configuration and one layer, but not the other', async () => {
    const honest = await serveMemoryRegistry();
    const image = await uniqueImage();
    honest.put('team/app', 'v1', image);
    const victim = shared.openJob();
    await pullAll(victim.job, `${honest.host}/team/app:v1`);
    const hostile = await serveMemoryRegistry();
    hostile.put('evil/app', 'v1', image);
    hostile.intercept(({ url = '' }, response) => {
      if (!url.endsWith(image.layers[1]?.digest ?? '')) return false;
      response.writeHead(200).end(Buffer.alloc(image.layers[1]?.bytes.length ?? 0));
      return true;
    });
    const attacker = shared.openJob();
    await expect(pullAll(attacker.job, `${hostile.host}/evil/app:v1`)).rejects.toThrow(
      'content does not match its digest',
    );
    await Promise.all([victim.end(), attacker.end()]);
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });

  test('while bytes that were really shown make an image, whoever else has them', async () => {
    const [one, two] = await Promise.all([serveMemoryRegistry(), serveMemoryRegistry()]);
    const image = await uniqueImage();
    one.put('team/app', 'v1', image);
    two.put('other/app', 'v1', image);
    const [first, second, third] = [shared.openJob(), shared.openJob(), shared.openJob()];
    await pullAll(first.job, `${one.host}/team/app:v1`);
    await pullAll(second.job, `${two.host}/other/app:v1`);
    expect(two.blobReads()).toBe(3);
    await pullAll(third.job, `${two.host}/other/app:v1`);
    expect(two.blobReads()).toBe(3);
    expect(cacheWords(second.job)).toEqual(['miss']);
    expect(cacheWords(third.job)).toEqual(['hit']);
    await Promise.all([first, second, third].map((one) => one.end()));
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });

  test('of a job that has the layers itself: it may use them, and gives nobody else a claim', async () => {
    const image = await uniqueImage();
    const registry = await serveMemoryRegistry();
    registry.put('team/app', 'v1', image);
    const [owner, other] = [shared.openJob(), shared.openJob()];
    await loadAll(owner.job, await dockerArchive([{ image, tags: ['mine:1'] }]));
    await pullAll(owner.job, `${registry.host}/team/app:v1`);
    await pullAll(other.job, `${registry.host}/team/app:v1`);
    expect(cacheWords(other.job)).not.toEqual(['hit']);
    await Promise.all([owner.end(), other.end()]);
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });

  test('of a loopback registry where jobs can listen on the loopback device', async () => {
    const onHost = createRegistry({
      registriesDir: undefined,
      insecureRegistries: [],
      network: { kind: 'host' },
    });
    const registry = await serveMemoryRegistry();
    registry.put('team/app', 'v1', await uniqueImage());
    const [first, second] = [shared.openJob({ registry: onHost }), shared.openJob({ registry: onHost })];
    await pullAll(first.job, `${registry.host}/team/app:v1`);
    await pullAll(second.job, `${registry.host}/team/app:v1`);
    expect(cacheWords(second.job)).toEqual(['miss']);
    await Promise.all([first.end(), second.end()]);
    onHost.close();
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });
});
