import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { createImageArchives } from './read-images.ts';
import type { ArchivedImage, ArchiveSink } from './types.ts';

interface MemorySink extends ArchiveSink {
  readonly blobs: ReadonlyMap<string, Buffer>;
}

function createMemorySink(): MemorySink {
  const blobs = new Map<string, Buffer>();
  return {
    blobs,
    async write(source) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of source) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const digest = digestOf(bytes);
      blobs.set(digest, bytes);
      return { digest, size: bytes.length };
    },
    async read(blob) {
      return blobs.get(blob.digest) ?? Buffer.alloc(0);
    },
  };
}

type Entry = readonly [name: string, content: string | Buffer, more?: Partial<Header>];

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const [name, content, more] of entries) tar.entry({ name, ...more }, more?.linkname ? '' : content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function digestOf(bytes: string | Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const blob = (bytes: string): { digest: string; size: number } => ({
  digest: digestOf(bytes),
  size: bytes.length,
});

async function read(archive: Buffer, chunkBytes = 700): Promise<readonly ArchivedImage[]> {
  const chunks = Array.from({ length: Math.ceil(archive.length / chunkBytes) }, (_, index) =>
    archive.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  return createImageArchives().readImages(
    Readable.from(chunks),
    createMemorySink(),
    new AbortController().signal,
  );
}

const config = '{"rootfs":{}}';
const manifestOf = (...images: readonly object[]): Entry => ['manifest.json', JSON.stringify(images)];
const link = (target: string, type: 'symlink' | 'link' = 'symlink'): Partial<Header> => ({
  type,
  linkname: target,
});
const refused = (message: string): object => ({
  kind: 'InvalidArgument',
  message: expect.stringContaining(message) as unknown,
});

describe('a docker archive', () => {
  const expected = {
    config: blob(config),
    layers: [blob('one'), blob('two')],
    names: ['x:1'],
    manifest: undefined,
    index: undefined,
  };
  const image = { Config: 'c.json', RepoTags: ['x:1'], Layers: ['1/layer.tar', '2/layer.tar'] };
  const files: readonly Entry[] = [
    ['c.json', config],
    ['1/layer.tar', 'one'],
    ['2/layer.tar', 'two'],
  ];

  test('is read whatever the order of its entries', async () => {
    expect(await read(await tarOf([...files, manifestOf(image)]))).toEqual([expected]);
    expect(await read(await tarOf([manifestOf(image), ...files.toReversed()]))).toEqual([expected]);
  });

  test('is read byte by byte', async () => {
    expect(await read(await tarOf([...files, manifestOf(image)]), 1)).toEqual([expected]);
  });

  test('is read when compressed', async () => {
    const archive = await tarOf([...files, manifestOf(image)]);
    const pack = (program: string): Buffer => spawnSync(program, ['-c'], { input: archive }).stdout;
    for (const packed of [gzipSync(archive), pack('xz'), pack('bzip2')])
      expect(await read(packed)).toEqual([expected]);
  });

  test('may name its entries in other spellings', async () => {
    const odd = files.map(([name, content]): Entry => [`./${name}`, content]);
    expect(await read(await tarOf([...odd, manifestOf(image)]))).toEqual([expected]);
  });

  test.each([
    ['a symbolic link beside', link('../1/layer.tar')],
    ['a hard link', link('1/layer.tar', 'link')],
  ])('may share a layer by %s', async (_what, more) => {
    const entries: readonly Entry[] = [
      ['c.json', config],
      ['1/layer.tar', 'one'],
      ['2/layer.tar', '', more],
    ];
    const [read1] = await read(await tarOf([...entries, manifestOf(image)]));
    expect(read1?.layers).toEqual([blob('one'), blob('one')]);
  });

  test('may have no tags, and several images', async () => {
    const images = await read(await tarOf([...files, manifestOf({ ...image, RepoTags: null }, image)]));
    expect(images.map(({ names }) => names)).toEqual([[], ['x:1']]);
  });

  test.each<readonly [string, readonly Entry[], string]>([
    [
      'a layer linked to the host',
      [
        ['c.json', config],
        ['1/layer.tar', '', link('/etc/shadow')],
        manifestOf({ ...image, Layers: ['1/layer.tar'] }),
      ],
      'no file "1/layer.tar"',
    ],
    [
      'links in a circle',
      [
        ['c.json', config],
        ['a', '', link('b')],
        ['b', '', link('a')],
        manifestOf({ ...image, Layers: ['a'] }),
      ],
      'no file "a"',
    ],
    [
      'a layer outside',
      [['c.json', config], manifestOf({ ...image, Layers: ['../../etc/shadow'] })],
      'no file "../../etc/shadow"',
    ],
    ['an entry outside', [['../c.json', config], manifestOf(image)], 'a name leads out of it'],
    ['a missing configuration', [manifestOf({ ...image, Config: 'none' })], 'no file "none"'],
    ['a manifest that is no list', [['manifest.json', '{}']], 'manifest.json is not a list'],
    ['a manifest that is no JSON', [['manifest.json', '[']], 'manifest.json is not JSON'],
    [
      'a layer name that is a number',
      [['c.json', config], manifestOf({ ...image, Layers: [1] })],
      'Layers is not a string',
    ],
    [
      'too many layers',
      [['c.json', config], manifestOf({ ...image, Layers: Array.from({ length: 1000 }, () => 'c.json') })],
      'Layers is not a list',
    ],
    ['a manifest of 9 MiB', [['manifest.json', Buffer.alloc(9 * 1024 * 1024)]], 'larger than'],
    ['nothing in it', [['x', 'y']], 'open manifest.json: no such file or directory'],
  ])('with %s is refused', async (_what, entries, message) => {
    await expect(read(await tarOf(entries), 64 * 1024)).rejects.toMatchObject(refused(message));
  });

  test('that claims a huge entry is refused before the entry is read', async () => {
    const tar = pack();
    tar.entry({ name: 'big', size: 2 ** 40 });
    const [head] = (await once(tar, 'data')) as [Buffer];
    await expect(read(head)).rejects.toMatchObject(refused('more than'));
  });

  test.each([
    ['cut short', (archive: Buffer) => archive.subarray(0, 700), 'Unexpected end of data'],
    ['garbage', () => Buffer.alloc(10_000, 'garbage '), 'Invalid tar header'],
    ['broken gzip', (archive: Buffer) => gzipSync(archive).subarray(0, 60), 'unexpected end of file'],
  ])('that is %s is refused', async (_what, spoil, why) => {
    const archive = spoil(await tarOf([['c.json', 'x'.repeat(3000)], manifestOf(image)]));
    await expect(read(archive)).rejects.toMatchObject(refused(`invalid archive: ${why}`));
  });

  test('is given up when the client leaves', async () => {
    const controller = new AbortController();
    const endless = new Readable({ read: () => undefined });
    endless.push((await tarOf(files)).subarray(0, 600));
    const reading = createImageArchives().readImages(endless, createMemorySink(), controller.signal);
    controller.abort();
    await expect(reading).rejects.toMatchObject({ kind: 'Cancelled' });
  });
});

describe('an OCI layout', () => {
  const manifest = JSON.stringify({
    config: { digest: digestOf(config) },
    layers: [{ digest: digestOf('one') }],
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const indexType = 'application/vnd.oci.image.index.v1+json';
  const path = (bytes: string): string => `blobs/sha256/${digestOf(bytes).slice(7)}`;
  const blobs = (...contents: readonly string[]): readonly Entry[] =>
    contents.map((bytes) => [path(bytes), bytes]);
  const indexOf = (...manifests: readonly object[]): Entry => ['index.json', JSON.stringify({ manifests })];
  const pointer = {
    mediaType,
    digest: digestOf(manifest),
    annotations: { 'io.containerd.image.name': 'docker.io/library/x:1' },
  };

  test('is read with its manifest', async () => {
    const images = await read(await tarOf([indexOf(pointer), ...blobs(config, 'one', manifest)]));
    expect(images).toEqual([
      {
        config: blob(config),
        layers: [blob('one')],
        names: ['docker.io/library/x:1'],
        manifest: { ...blob(manifest), mediaType },
        index: undefined,
      },
    ]);
  });

  test('leaves out attestations and platforms that are not in it', async () => {
    const nested = JSON.stringify({
      manifests: [
        pointer,
        { mediaType, digest: digestOf('elsewhere') },
        {
          mediaType,
          digest: digestOf('one'),
          annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
        },
      ],
    });
    const outer = {
      mediaType: indexType,
      digest: digestOf(nested),
      annotations: { 'org.opencontainers.image.ref.name': '1' },
    };
    const images = await read(await tarOf([indexOf(outer), ...blobs(config, 'one', manifest, nested)]));
    expect(images.map(({ names }) => names)).toEqual([['docker.io/library/x:1']]);
  });

  test('knows the index that a manifest is named by, with the attestations that are in it', async () => {
    const attestation = JSON.stringify({ config: { digest: digestOf('{}') }, layers: [] });
    const nested = JSON.stringify({
      manifests: [
        pointer,
        { mediaType, digest: digestOf('elsewhere') },
        {
          mediaType,
          digest: digestOf(attestation),
          annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
        },
      ],
    });
    const outer = { mediaType: indexType, digest: digestOf(nested) };
    const entries = [indexOf(outer), ...blobs(config, 'one', manifest, nested, attestation, '{}')];
    const index = {
      ...blob(nested),
      mediaType: indexType,
      members: [manifest, attestation].map((one) => ({ ...blob(one), mediaType })),
    };
    expect((await read(await tarOf(entries))).map((image) => image.index)).toEqual([index]);
    const named = manifestOf({ Config: path(config), Layers: [path('one')], RepoTags: ['y:1'] });
    const both = await read(await tarOf([...entries, named]));
    expect(both.map((image) => [image.names, image.index])).toEqual([[['y:1'], index]]);
  });

  test.each<readonly [string, readonly Entry[], string]>([
    [
      'a blob that is not what its name says',
      [indexOf(pointer), [path(manifest), 'other'], ...blobs(config, 'one')],
      'no blob',
    ],
    ['a missing layer', [indexOf(pointer), ...blobs(config, manifest)], 'blobs of'],
    ['a digest that is a path', [indexOf({ mediaType, digest: '../../x' })], 'no blob'],
    ['no list of manifests', [['index.json', '{}']], 'manifests is not a list'],
  ])('with %s is refused', async (_what, entries, message) => {
    await expect(read(await tarOf(entries))).rejects.toMatchObject(refused(message));
  });

  test('with more indexes inside each other than anybody needs is refused', async () => {
    const nest = (inner: string): string =>
      JSON.stringify({ manifests: [{ mediaType: indexType, digest: digestOf(inner) }] });
    const levels = [nest('x')];
    for (let depth = 0; depth < 6; depth += 1) levels.push(nest(levels.at(-1) ?? ''));
    const top = { mediaType: indexType, digest: digestOf(levels.at(-1) ?? '') };
    await expect(read(await tarOf([indexOf(top), ...blobs('x', ...levels)]))).rejects.toMatchObject(
      refused('too deeply'),
    );
  });
});
