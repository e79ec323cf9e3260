import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { buildImage, opaque, toBlob, whiteout, type LayerEntry } from './image-builder.ts';
import { dockerArchive, ociLayout, ociLayoutOfPlatforms } from './image-builder-archives.ts';

const layers: readonly (readonly LayerEntry[])[] = [
  [
    { type: 'directory', path: 'etc' },
    { type: 'file', path: 'etc/motd', content: 'hello', uid: 5, gid: 6, mode: 0o600 },
    { type: 'symlink', path: 'etc/issue', target: '/etc/motd' },
  ],
  [whiteout('etc/motd'), opaque('var')],
];

async function unpack(tar: Buffer): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    found.set(entry.header.name, Buffer.concat(chunks));
  }
  return found;
}

function readJson(files: ReadonlyMap<string, Buffer>, path: string): Record<string, unknown> {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`no ${path}`);
  return JSON.parse(bytes.toString()) as Record<string, unknown>;
}

describe('buildImage', () => {
  test('packs layers whose digests are those of their bytes, and of the tar within', async () => {
    const image = await buildImage({ base: 'scratch', layers, compression: 'gzip' });
    const [first] = image.layers;
    if (first === undefined) throw new Error('no layer');
    const tar = gunzipSync(first.bytes);
    expect(first.digest).toBe(`sha256:${createHash('sha256').update(first.bytes).digest('hex')}`);
    expect(first.tar.digest).toBe(toBlob(tar).digest);
    expect([...(await unpack(tar)).keys()]).toEqual(['etc/', 'etc/motd', 'etc/issue']);
  });

  test('names whiteouts as the image format has them', async () => {
    const image = await buildImage({ base: 'scratch', layers, compression: 'none' });
    const second = image.layers[1]?.bytes ?? Buffer.alloc(0);
    expect([...(await unpack(second)).keys()]).toEqual(['etc/.wh.motd', 'var/.wh..wh..opq']);
  });

  test('gives the same digests for the same options', async () => {
    const options = { base: 'scratch', layers } as const;
    expect((await buildImage(options)).config.digest).toBe((await buildImage(options)).config.digest);
  });

  test('writes what the options say into the configuration', async () => {
    const { config } = await buildImage({
      base: 'scratch',
      entrypoint: ['/bin/app'],
      cmd: ['--help'],
      env: ['A=1'],
      user: 'builder',
      workingDir: '/srv',
      volumes: ['/data'],
      exposedPorts: ['80/tcp'],
      labels: { a: 'b' },
      stopSignal: 'SIGQUIT',
    });
    const { config: written } = JSON.parse(config.bytes.toString()) as { config: object };
    expect(written).toMatchObject({
      Entrypoint: ['/bin/app'],
      Cmd: ['--help'],
      User: 'builder',
      WorkingDir: '/srv',
      Volumes: { '/data': {} },
      ExposedPorts: { '80/tcp': {} },
      Labels: { a: 'b' },
      StopSignal: 'SIGQUIT',
    });
    expect((written as { Env: string[] }).Env).toContain('A=1');
  });
});

test('dockerArchive holds manifest.json, the configuration and uncompressed layers', async () => {
  const image = await buildImage({ base: 'scratch', layers, compression: 'gzip' });
  const found = await unpack(await dockerArchive([{ image, tags: ['a:1', 'b:2'] }]));
  const [entry] = JSON.parse(found.get('manifest.json')?.toString() ?? '[]') as {
    Config: string;
    RepoTags: string[];
    Layers: string[];
  }[];
  if (entry === undefined) throw new Error('empty manifest.json');
  expect(entry.RepoTags).toEqual(['a:1', 'b:2']);
  expect(found.get(entry.Config)).toEqual(image.config.bytes);
  expect(entry.Layers.map((path) => found.get(path))).toEqual(image.layers.map(({ tar }) => tar.bytes));
});

test('ociLayout holds every blob under its digest, and names the image', async () => {
  const image = await buildImage({ base: 'scratch', layers });
  const found = await unpack(await ociLayout([{ image, tags: ['docker.io/library/a:1'] }]));
  expect(readJson(found, 'oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
  const { manifests } = readJson(found, 'index.json') as {
    manifests: { digest: string; annotations: object }[];
  };
  expect(manifests[0]?.annotations).toEqual({
    'io.containerd.image.name': 'docker.io/library/a:1',
    'org.opencontainers.image.ref.name': '1',
  });
  const blobs = [...found].filter(([path]) => path.startsWith('blobs/sha256/') && !path.endsWith('/'));
  expect(blobs.length).toBe(image.layers.length + 2);
  for (const [path, bytes] of blobs) expect(`sha256:${path.slice(13)}`).toBe(toBlob(bytes).digest);
});

test('ociLayoutOfPlatforms puts an index with one manifest for each platform below the name', async () => {
  const images = await Promise.all(
    ['amd64', 'arm64'].map((architecture) => buildImage({ base: 'scratch', layers, architecture })),
  );
  const found = await unpack(await ociLayoutOfPlatforms(images, 'a:1'));
  const { manifests } = readJson(found, 'index.json') as { manifests: { digest: string }[] };
  const digest = manifests[0]?.digest.replace('sha256:', '') ?? '';
  const index = readJson(found, `blobs/sha256/${digest}`) as { manifests: { platform: object }[] };
  expect(index.manifests.map(({ platform }) => platform)).toEqual([
    { architecture: 'amd64', os: 'linux' },
    { architecture: 'arm64', os: 'linux' },
  ]);
});
