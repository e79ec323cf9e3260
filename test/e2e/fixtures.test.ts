import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildImage, hostArchitecture } from '../support/image-builder.ts';
import { pushImage, pushIndex, startRegistry, type Registry } from '../support/registry.ts';

// What the other suites stand on: a real registry takes the built images, and tells who asked it for what.

describe('registry', () => {
  let registry: Registry;

  beforeAll(async () => {
    registry = await startRegistry();
  });

  afterAll(() => registry.stop());

  test.each(['oci', 'docker'] as const)('serves an image with the media types of %s', async (kind) => {
    const image = await buildImage({ compression: 'zstd', labels: { kind } });
    const manifest = await pushImage(registry, `some/${kind}:1`, { image, kind });
    const answer = await fetch(`http://${registry.host}/v2/some/${kind}/manifests/1`, {
      headers: { accept: manifest.mediaType },
    });
    expect(answer.headers.get('docker-content-digest')).toBe(manifest.digest);
    expect(answer.headers.get('content-type')).toBe(manifest.mediaType);
    const layer = image.layers[0]?.digest ?? '';
    const blob = await fetch(`http://${registry.host}/v2/some/${kind}/blobs/${layer}`);
    expect((await blob.arrayBuffer()).byteLength).toBe(image.layers[0]?.bytes.length);
  });

  test.each(['oci', 'docker'] as const)('serves an index of platforms of %s', async (kind) => {
    const architectures = [hostArchitecture(), 's390x'];
    const images = await Promise.all(architectures.map((architecture) => buildImage({ architecture })));
    const index = await pushIndex(registry, `many/${kind}:1`, { images, kind });
    const answer = await fetch(`http://${registry.host}/v2/many/${kind}/manifests/1`, {
      headers: { accept: index.mediaType },
    });
    const { manifests } = (await answer.json()) as { manifests: { platform: { architecture: string } }[] };
    expect(manifests.map(({ platform }) => platform.architecture)).toEqual(architectures);
  });

  test('tells what others asked for, and nothing of its own', async () => {
    const before = (await registry.requests()).length;
    await pushImage(registry, 'silent:1', { image: await buildImage({ base: 'scratch' }), kind: 'oci' });
    await fetch(`http://${registry.host}/v2/absent/manifests/1`, { method: 'HEAD' });
    expect((await registry.requests()).slice(before)).toEqual([
      { method: 'HEAD', path: '/v2/absent/manifests/1', status: 404 },
    ]);
  });
});
