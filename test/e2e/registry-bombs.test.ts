import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';
import { buildImage, packTar, toBlob, type BuiltImage } from '../support/image-builder.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { serveMemoryRegistry } from '../support/memory-registry.ts';

// What is small on the wire and large on the disk, or endless: refused by the limits that the operator has set.

const LAYER_BYTES = 32 * 1024 * 1024;
const IMAGE_BYTES = 64 * 1024 * 1024;
const job = useJob({
  config: `[limits]\nlayer_bytes = ${String(LAYER_BYTES)}\nimage_bytes = ${String(IMAGE_BYTES)}\n`,
});

/** An image with layers of zeros of these sizes, each a thousandth of that as a blob. */
async function imageOfZeros(...sizes: readonly number[]): Promise<BuiltImage> {
  const paths = sizes.map((_size, index) => `zeros-${String(index)}`);
  const image = await buildImage({
    base: 'scratch',
    layers: paths.map((path) => [{ type: 'file', path, content: path }]),
  });
  const tars = await Promise.all(
    sizes.map(async (size, index) =>
      toBlob(await packTar([{ type: 'file', path: paths[index] ?? '', content: Buffer.alloc(size) }])),
    ),
  );
  const config = JSON.parse(image.config.bytes.toString()) as { rootfs: { diff_ids: string[] } };
  config.rootfs.diff_ids = tars.map(({ digest }) => digest);
  return {
    ...image,
    config: toBlob(Buffer.from(JSON.stringify(config))),
    layers: tars.map((tar) => ({ ...toBlob(gzipSync(tar.bytes, { level: 1 })), compression: 'gzip', tar })),
  };
}

async function pullFails(image: BuiltImage): Promise<string> {
  const registry = await serveMemoryRegistry();
  registry.put('evil/app', 'v1', image);
  const { code, stderr } = await job.berth.docker(['pull', `${registry.host}/evil/app:v1`]);
  expect(code).not.toBe(0);
  expect(await ask(job.berth, 'images', '--format', '{{.Repository}}')).toBe('busybox');
  return stderr;
}

test('a layer that unpacks to more than one may', async () => {
  expect(await pullFails(await imageOfZeros(2 * LAYER_BYTES))).toContain(
    `unpacks to more than ${String(LAYER_BYTES)} bytes`,
  );
});

test('layers that are together more than the images of a job may be', async () => {
  const most = LAYER_BYTES - 1024 * 1024;
  expect(await pullFails(await imageOfZeros(most, most, most))).toContain(
    `images of this job may take ${String(IMAGE_BYTES)} bytes`,
  );
});

test('an archive of such layers', async () => {
  const image = await imageOfZeros(2 * LAYER_BYTES);
  const input = await dockerArchive([{ image, tags: ['evil:v1'] }]);
  const { code, stdout, stderr } = await job.berth.docker(['load'], { input });
  expect({ code, text: stdout + stderr }).toMatchObject({
    code: 1,
    text: expect.stringContaining(`unpacks to more than ${String(LAYER_BYTES)} bytes`) as string,
  });
  expect(await ask(job.berth, 'images', '--format', '{{.Repository}}')).toBe('busybox');
});

test('more layers than an image may have', async () => {
  const image = await imageOfZeros(10);
  const [layer] = image.layers;
  if (!layer) throw new Error('the image has no layer');
  const stderr = await pullFails({ ...image, layers: Array.from({ length: 20_000 }, () => layer) });
  expect(stderr).toMatch(/more than \d+/);
});
