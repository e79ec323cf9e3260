import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { importImage } from '../../src/engine/images/import-image.ts';
import { layersSize } from '../../src/engine/images/layers-size.ts';
import { buildImage, packTar, toBlob, type BuiltImage } from '../support/image-builder.ts';
import { pullAll, storedAfterCollection } from '../support/image-job.ts';
import { serveMemoryRegistry, type MemoryRegistry } from '../support/memory-registry.ts';
import {
  NOTHING,
  pullWith,
  uniqueImage,
  useSharedImages,
  type JobChoices,
} from '../support/shared-images.ts';

// What a registry can do to a pull: it ends with an error that says so, and leaves nothing.

const shared = useSharedImages();

async function expectRefusal(
  registry: MemoryRegistry,
  message: string | RegExp,
  choices?: JobChoices,
): Promise<void> {
  const { job, end } = shared.openJob(choices);
  await expect(pullWith(job, `${registry.host}/evil/app:v1`)).rejects.toThrow(message);
  expect(job.images.list()).toEqual([]);
  expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  expect(await end()).toEqual([]);
}

/** Answers with a document of the test's own making in the place of the manifest. */
function answerManifestWith(registry: MemoryRegistry, type: string, document: object): void {
  const bytes = Buffer.from(JSON.stringify(document));
  registry.intercept(({ url = '', method }, response) => {
    if (!url.includes('/manifests/')) return false;
    response.writeHead(200, {
      'content-type': type,
      'content-length': bytes.length,
      'docker-content-digest': `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    });
    response.end(method === 'HEAD' ? undefined : bytes);
    return true;
  });
}

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const digest = `sha256:${'a'.repeat(64)}`;
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 2 };

describe('a manifest', () => {
  test.each([
    [
      'of schema 1',
      {
        type: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
        document: {},
        message: 'schema 1 is not supported',
      },
    ],
    [
      'with 30,000 layers',
      {
        type: OCI,
        document: {
          schemaVersion: 2,
          config,
          layers: Array.from({ length: 30_000 }, () => ({ digest, size: 2 })),
        },
        message: /more than \d+/,
      },
    ],
    [
      'with a foreign layer',
      {
        type: OCI,
        document: {
          schemaVersion: 2,
          config,
          layers: [
            {
              ...layer,
              mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
              urls: ['http://127.0.0.1:1/x'],
            },
          ],
        },
        message: 'foreign layers are not supported',
      },
    ],
    [
      'that is an index of an index',
      {
        type: INDEX,
        document: {
          schemaVersion: 2,
          manifests: [
            { mediaType: INDEX, digest, size: 2, platform: { os: 'linux', architecture: 'amd64' } },
          ],
        },
        message: 'no matching manifest',
      },
    ],
    [
      'of an unknown type',
      { type: 'text/html', document: { hello: 'world' }, message: 'unsupported media type' },
    ],
    [
      'larger than 4 MiB',
      {
        type: OCI,
        document: { schemaVersion: 2, config, layers: [], x: 'x'.repeat(5_000_000) },
        message: 'larger than',
      },
    ],
  ] as const)('%s', async (_name, { type, document, message }) => {
    const registry = await serveMemoryRegistry();
    answerManifestWith(registry, type, document);
    await expectRefusal(registry, message);
  });

  test('with another digest than it is announced with', async () => {
    const registry = await serveMemoryRegistry();
    const { bytes, mediaType } = registry.put('evil/app', 'v1', await uniqueImage());
    registry.intercept(({ url = '', method }, response) => {
      if (!url.includes('/manifests/')) return false;
      response.writeHead(200, {
        'content-type': mediaType,
        'content-length': bytes.length,
        'docker-content-digest': digest,
      });
      response.end(method === 'HEAD' ? undefined : bytes);
      return true;
    });
    await expectRefusal(registry, 'content does not match its digest');
  });
});

describe('a layer', () => {
  function spoil(registry: MemoryRegistry, image: BuiltImage, change: (bytes: Buffer) => Buffer): void {
    const [first] = image.layers;
    registry.intercept(({ url = '' }, response) => {
      if (!first || !url.endsWith(first.digest)) return false;
      response.writeHead(200).end(change(first.bytes));
      return true;
    });
  }

  test.each([
    ['with other bytes', (bytes: Buffer) => Buffer.alloc(bytes.length, 1), 'layer verification failed'],
    ['that is too long', (bytes: Buffer) => Buffer.concat([bytes, bytes]), 'is longer than'],
  ] as const)('%s', async (_name, change, message) => {
    const registry = await serveMemoryRegistry();
    const image = await uniqueImage();
    registry.put('evil/app', 'v1', image);
    spoil(registry, image, change);
    await expectRefusal(registry, message);
  });

  test('with another diff id than the configuration says', async () => {
    const registry = await serveMemoryRegistry();
    const image = await uniqueImage();
    const other = await uniqueImage();
    registry.put('evil/app', 'v1', { ...image, layers: other.layers });
    await expectRefusal(registry, 'has diff id');
  });

  test.each([
    [{ layerBytes: 64 * 1024 * 1024 }, 'unpacks to more than 67108864 bytes'],
    [{ imageBytes: 64 * 1024 * 1024 }, 'images of this job may take 67108864 bytes'],
  ])('that unpacks to more than it may: %o', async (limits, message) => {
    const registry = await serveMemoryRegistry();
    const tar = toBlob(
      await packTar([{ type: 'file', path: 'zeros', content: Buffer.alloc(200 * 1024 * 1024) }]),
    );
    const packed = toBlob(gzipSync(tar.bytes, { level: 1 }));
    const image = await buildImage({
      base: 'scratch',
      layers: [[{ type: 'file', path: 'x', content: 'x' }]],
    });
    const settled = JSON.parse(image.config.bytes.toString()) as { rootfs: { diff_ids: string[] } };
    settled.rootfs.diff_ids = [tar.digest];
    registry.put('evil/app', 'v1', {
      ...image,
      config: toBlob(Buffer.from(JSON.stringify(settled))),
      layers: [{ ...packed, compression: 'gzip', tar }],
    });
    await expectRefusal(registry, message, limits);
  });
});

test('an import that unpacks to more than it may ends, and leaves nothing', async () => {
  const { job, end } = shared.openJob({ layerBytes: 64 * 1024 * 1024 });
  const tar = await packTar([{ type: 'file', path: 'zeros', content: Buffer.alloc(200 * 1024 * 1024) }]);
  const importing = importImage(job, {
    tar: Readable.from([gzipSync(tar, { level: 1 })]),
    reference: undefined,
    message: '',
    changes: [],
    platform: '',
    report: () => undefined,
    signal: new AbortController().signal,
  });
  await expect(importing).rejects.toThrow('unpacks to more than 67108864 bytes');
  expect(job.images.list()).toEqual([]);
  expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
  expect(await end()).toEqual([]);
});

test('pulls at the same time share what the images of a job may take', async () => {
  const limit = 96 * 1024 * 1024;
  const registry = await serveMemoryRegistry();
  for (const [tag, byte] of [
    ['one', 1],
    ['two', 2],
  ] as const) {
    const content = Buffer.alloc(64 * 1024 * 1024, byte);
    registry.put(
      'big/app',
      tag,
      await buildImage({ base: 'scratch', layers: [[{ type: 'file', path: 'x', content }]] }),
    );
  }
  const { job, end } = shared.openJob({ imageBytes: limit });
  const pulls = await Promise.allSettled(
    ['one', 'two'].map((tag) => pullAll(job, `${registry.host}/big/app:${tag}`)),
  );
  expect(pulls.map(({ status }) => status)).toContain('rejected');
  for (const pull of pulls)
    if (pull.status === 'rejected')
      expect(pull.reason).toMatchObject({
        message: expect.stringContaining('images of this job may take') as string,
      });
  expect(job.images.unpacking.size).toBe(0);
  expect(layersSize(job)).toBeLessThanOrEqual(limit);
  expect(await end()).toEqual([]);
  expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
});

test('what another job has unpacked counts like what the job itself unpacks', async () => {
  const registry = await serveMemoryRegistry();
  const big = { type: 'file', path: 'big', content: Buffer.alloc(64 * 1024 * 1024, 3) } as const;
  const whole = await buildImage({ base: 'scratch', layers: [[big]] });
  const more = await buildImage({
    base: 'scratch',
    layers: [[big], [{ ...big, path: 'small', content: 'x' }]],
  });
  registry.put('big/app', 'whole', whole);
  registry.put('big/app', 'more', more);
  const first = shared.openJob();
  await pullAll(first.job, `${registry.host}/big/app:whole`);
  const second = shared.openJob({ imageBytes: 32 * 1024 * 1024 });
  for (const tag of ['whole', 'more'])
    await expect(pullAll(second.job, `${registry.host}/big/app:${tag}`)).rejects.toThrow(
      'failed to register layer: images of this job may take 33554432 bytes, [limits] image_bytes',
    );
  expect(second.job.images.list()).toEqual([]);
  expect(second.job.images.unpacking.size).toBe(0);
  for (const { end } of [first, second]) expect(await end()).toEqual([]);
  expect(await storedAfterCollection(shared.images)).toEqual(NOTHING);
});
