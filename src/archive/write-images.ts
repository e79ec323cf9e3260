import { Readable } from 'node:stream';
import { pack, type Pack } from 'tar-stream';
import { EngineError } from '../errors.ts';
import type { ImageToSave, SavedBlob } from './types.ts';

type Sink = ReturnType<Pack['entry']>;

const EPOCH = new Date(0);
const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/**
 * Packs images as one archive that is both what `docker save` writes and an OCI layout; the same images give the same
 * bytes. What images share is there once. The stream fails when a blob is not as long as it should be.
 */
export function writeImages(
  images: readonly ImageToSave[],
  read: (digest: string) => AsyncIterable<Uint8Array>,
): Readable {
  const tar = pack();
  void fill(tar, images, read).catch((error: unknown) => {
    tar.destroy(error instanceof Error ? error : new EngineError('Internal', 'the archive broke off'));
  });
  // Its own class of streams knows neither async iteration that ends it nor `destroyed` as Node does.
  return Readable.from(tar, { objectMode: false });
}

async function fill(
  tar: Pack,
  images: readonly ImageToSave[],
  read: (digest: string) => AsyncIterable<Uint8Array>,
): Promise<void> {
  for (const name of ['blobs/', 'blobs/sha256/'])
    tar.entry({ name, type: 'directory', mode: 0o755, mtime: EPOCH });
  const done = new Set<string>();
  for (const { manifest, config, layers, index } of images) {
    for (const blob of [config, ...layers]) await writeBlob(tar, { done, blob, bytes: read(blob.digest) });
    await writeBlob(tar, { done, blob: manifest, bytes: [manifest.bytes] });
    for (const blob of index?.blobs ?? []) await writeBlob(tar, { done, blob, bytes: read(blob.digest) });
    if (index) await writeBlob(tar, { done, blob: index, bytes: [index.bytes] });
  }
  writeText(tar, 'index.json', JSON.stringify(layoutIndex(images)));
  writeText(tar, 'manifest.json', JSON.stringify(images.map(dockerManifest)));
  writeText(tar, 'oci-layout', LAYOUT);
  const repositories = legacyRepositories(images);
  if (Object.keys(repositories).length > 0) writeText(tar, 'repositories', JSON.stringify(repositories));
  tar.finalize();
}

async function writeBlob(
  tar: Pack,
  entry: {
    readonly done: Set<string>;
    readonly blob: SavedBlob;
    readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  },
): Promise<void> {
  const { done, blob, bytes } = entry;
  if (done.has(blob.digest)) return;
  done.add(blob.digest);
  const target = tar.entry({ name: blobPath(blob.digest), mode: 0o644, mtime: EPOCH, size: blob.size });
  // It fails with the archive when the reader leaves, and an error that nobody hears ends the process.
  target.on('error', () => undefined);
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.byteLength;
    if (size > blob.size) break;
    if (!target.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) await drained(target);
    if (target.destroyed) throw new EngineError('Cancelled', 'context canceled');
  }
  if (size !== blob.size)
    throw new EngineError(
      'Internal',
      `blob ${blob.digest} does not have the ${blob.size} bytes it should have`,
    );
  target.end(null);
}

// Whoever reads may leave: then there is nothing to wait for.
function drained(target: Sink): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      target.off('drain', settle).off('close', settle);
      resolve();
    };
    target.on('drain', settle).on('close', settle);
  });
}

function writeText(tar: Pack, name: string, text: string): void {
  tar.entry({ name, mode: 0o644, mtime: EPOCH }, text);
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function dockerManifest({ config, layers, names }: ImageToSave): object {
  return {
    Config: blobPath(config.digest),
    RepoTags: names.length > 0 ? names.map(({ repository, tag }) => `${repository}:${tag}`) : null,
    Layers: layers.map(({ digest }) => blobPath(digest)),
  };
}

function layoutIndex(images: readonly ImageToSave[]): object {
  const manifests = images.flatMap(({ manifest, index, names }) => {
    const { mediaType, digest, size } = index ?? manifest;
    if (names.length === 0) return [{ mediaType, digest, size }];
    return names.map(({ fullName, tag }) => ({
      mediaType,
      digest,
      size,
      annotations: { 'io.containerd.image.name': fullName, 'org.opencontainers.image.ref.name': tag },
    }));
  });
  return { schemaVersion: 2, mediaType: INDEX_TYPE, manifests };
}

// What Docker wrote before 1.10 had: a name leads to the image's topmost layer.
function legacyRepositories(images: readonly ImageToSave[]): Readonly<Record<string, object>> {
  const repositories = new Map<string, Map<string, string>>();
  for (const { names, layers } of images)
    for (const { repository, tag } of names) {
      const top = layers.at(-1);
      if (!top) continue;
      const tags = repositories.get(repository) ?? new Map<string, string>();
      repositories.set(repository, tags.set(tag, top.digest.replace(/^sha256:/, '')));
    }
  return Object.fromEntries([...repositories].map(([name, tags]) => [name, Object.fromEntries(tags)]));
}
