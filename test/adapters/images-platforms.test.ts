import { beforeEach, describe, expect, test } from 'vitest';
import { openForPlatform } from '../../src/engine/images/open-variant.ts';
import { removePlatforms } from '../../src/engine/images/remove-platforms.ts';
import { restoreImages } from '../../src/engine/images/restore-images.ts';
import { resolveImage } from '../../src/engine/images/resolve-image.ts';
import { saveImages } from '../../src/engine/images/save-images.ts';
import type { Job } from '../../src/engine/job.ts';
import { createLogger } from '../../src/logger.ts';
import { createImageStore } from '../../src/state/image-store.ts';
import { buildImage, hostArchitecture, type BuiltImage } from '../support/image-builder.ts';
import { imageManifest } from '../support/image-builder-manifests.ts';
import { ociLayoutOfPlatforms } from '../support/image-builder-archives.ts';
import { loadAll, storedAfterCollection } from '../support/image-job.ts';
import { NOTHING, useSharedImages } from '../support/shared-images.ts';

// Single platforms of an index that jobs of one host have loaded.

const host = `linux/${hostArchitecture()}`;
const other = `linux/${hostArchitecture() === 'arm64' ? 'amd64' : 'arm64'}`;
const shared = useSharedImages();
let images: readonly [BuiltImage, BuiltImage];
let archive: Buffer;

const digestOf = (image: BuiltImage): string => imageManifest(image, 'oci').digest;
const platformImage = (platform: string): Promise<BuiltImage> =>
  buildImage({
    base: 'scratch',
    architecture: platform.slice('linux/'.length),
    layers: [[{ type: 'file', path: 'platform', content: platform }]],
  });

beforeEach(async () => {
  images = [await platformImage(host), await platformImage(other)];
  archive = await ociLayoutOfPlatforms(images, 'docker.io/library/both:1');
});

const remove = (job: Job, ...platforms: readonly string[]): Promise<readonly object[]> =>
  removePlatforms(job, 'both:1', { force: true, platforms });

/** The job as a process that starts later finds it. */
async function startedLater(job: Job): Promise<Job> {
  const later = { ...job, images: createImageStore(job.store.images) };
  await restoreImages({ ...later, log: createLogger('silent') });
  return later;
}

async function saved(job: Job): Promise<number> {
  let bytes = 0;
  await saveImages(job, {
    names: ['both:1'],
    platform: '',
    signal: new AbortController().signal,
    send: async (tar) => {
      for await (const chunk of tar as AsyncIterable<Buffer>) bytes += chunk.byteLength;
    },
  });
  return bytes;
}

describe('a platform that is removed', () => {
  test('is gone for this job, and there for one beside it', async () => {
    const [first, second] = [shared.openJob(), shared.openJob()];
    for (const { job } of [first, second]) await loadAll(job, archive);
    const whole = await saved(second.job);
    expect(await remove(first.job, other)).toEqual([{ Deleted: digestOf(images[1]) }]);
    expect(resolveImage(await startedLater(first.job), 'both:1').id).toBe(images[0].config.digest);
    expect(await saved(first.job)).toBeLessThan(whole);
    await expect(openForPlatform(first.job, 'both:1', other)).rejects.toMatchObject({ kind: 'NotFound' });
    await storedAfterCollection(shared.images);
    expect(await saved(second.job)).toBe(whole);
    expect((await openForPlatform(second.job, 'both:1', other)).id).toBe(images[1].config.digest);
    for (const { end } of [first, second]) expect(await end()).toEqual([]);
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });

  test("leaves its names another's image where it was theirs, unpacked, for a later process too", async () => {
    const { job, end } = shared.openJob();
    await loadAll(job, archive);
    const hostId = images[0].config.digest;
    expect(await remove(job, host)).toEqual(
      [{ Deleted: digestOf(images[0]) }, { Deleted: hostId }].concat(
        images[0].layers.map(() => ({ Deleted: expect.any(String) as string })),
      ),
    );
    await storedAfterCollection(shared.images);
    const image = resolveImage(await startedLater(job), 'both:1');
    expect(image.id).toBe(images[1].config.digest);
    expect((await shared.images.snapshots.stat(image.chainId)).kind).toBe('committed');
    expect(await end()).toEqual([]);
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });

  test('as the last one takes its names along', async () => {
    const { job, end } = shared.openJob();
    await loadAll(job, archive);
    const removed = await remove(job, other, host);
    expect(removed.slice(0, 3)).toEqual([
      { Deleted: digestOf(images[1]) },
      { Deleted: digestOf(images[0]) },
      { Untagged: 'both:1' },
    ]);
    expect(job.images.list()).toEqual([]);
    expect((await storedAfterCollection(shared.images)).snapshots).toEqual([]);
    expect(await end()).toEqual([]);
    expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  });

  test('has to be one that the image has, and to be meant', async () => {
    const { job, end } = shared.openJob();
    await loadAll(job, archive);
    await expect(remove(job, 'linux/s390x')).rejects.toMatchObject({
      kind: 'NotFound',
      message:
        `failed to delete platform linux/s390x for image ${images[0].config.digest}: image with reference both:1 ` +
        'was found but does not provide the specified platform (linux/s390x)',
    });
    await expect(removePlatforms(job, 'both:1', { force: false, platforms: [other] })).rejects.toMatchObject({
      kind: 'InvalidArgument',
      message:
        'Content will be removed from all images referencing this variant. Use —-force to force delete.',
    });
    await expect(removePlatforms(job, 'none:1', { force: true, platforms: [other] })).rejects.toMatchObject({
      kind: 'NotFound',
      message: 'No such image: none:1',
    });
    expect(await end()).toEqual([]);
  });
});

test('a platform that was only kept is unpacked when a container is to be made of it, and then kept like others', async () => {
  const { job, end } = shared.openJob();
  await loadAll(job, archive);
  const before = (await storedAfterCollection(shared.images)).snapshots.length;
  const image = await openForPlatform(job, 'both:1', other);
  expect(image.id).toBe(images[1].config.digest);
  expect((await storedAfterCollection(shared.images)).snapshots.length).toBe(
    before + images[1].layers.length,
  );
  expect((await openForPlatform(job, 'both:1', other)).chainId).toBe(image.chainId);
  expect(resolveImage(await startedLater(job), image.id).chainId).toBe(image.chainId);
  expect(await end()).toEqual([]);
  expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
});
