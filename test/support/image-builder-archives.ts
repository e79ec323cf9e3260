import { packTar, type Blob, type BuiltImage, type LayerEntry } from './image-builder.ts';
import { descriptor, imageIndex, imageManifest } from './image-builder-manifests.ts';

/** An image and the names that the archive gives it. */
export interface NamedImage {
  readonly image: BuiltImage;
  readonly tags: readonly string[];
}

/** A tar as `docker save` wrote it up to Docker 24: manifest.json, configurations and uncompressed layers. */
export function dockerArchive(images: readonly NamedImage[]): Promise<Buffer> {
  const entries = new Map<string, LayerEntry>();
  const manifest = images.map(({ image, tags }) => {
    const config = `${hexOf(image.config)}.json`;
    entries.set(config, fileEntry(config, image.config.bytes));
    const layers = image.layers.map(({ tar }) => {
      const path = `${hexOf(tar)}/layer.tar`;
      entries.set(path, fileEntry(path, tar.bytes));
      return path;
    });
    return { Config: config, RepoTags: tags, Layers: layers };
  });
  return packTar([...entries.values(), fileEntry('manifest.json', JSON.stringify(manifest))]);
}

/** A tar of an OCI layout; an image of several platforms goes by one index below the layout's own. */
export function ociLayout(images: readonly NamedImage[]): Promise<Buffer> {
  const blobs = new Map<string, Blob>();
  const listed = images.flatMap(({ image, tags }) => {
    const manifest = storeImage(blobs, image);
    return tags.map((tag) => namedDescriptor(descriptor(manifest.mediaType, manifest), tag));
  });
  return packLayout(blobs, listed);
}

/** A tar of an OCI layout with one name for images of several platforms. */
export function ociLayoutOfPlatforms(images: readonly BuiltImage[], tag: string): Promise<Buffer> {
  const blobs = new Map<string, Blob>();
  const manifests = images.map((image) => {
    const { architecture, os } = image;
    return { manifest: storeImage(blobs, image), platform: { architecture, os } };
  });
  const index = imageIndex('oci', manifests);
  blobs.set(index.digest, index);
  return packLayout(blobs, [namedDescriptor(descriptor(index.mediaType, index), tag)]);
}

function storeImage(blobs: Map<string, Blob>, image: BuiltImage): ReturnType<typeof imageManifest> {
  const manifest = imageManifest(image, 'oci');
  for (const blob of [image.config, ...image.layers, manifest]) blobs.set(blob.digest, blob);
  return manifest;
}

function packLayout(blobs: ReadonlyMap<string, Blob>, manifests: readonly object[]): Promise<Buffer> {
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  return packTar([
    fileEntry('oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' })),
    fileEntry('index.json', JSON.stringify({ schemaVersion: 2, mediaType, manifests })),
    { type: 'directory', path: 'blobs' },
    { type: 'directory', path: 'blobs/sha256' },
    ...[...blobs.values()].map((blob) => fileEntry(`blobs/sha256/${hexOf(blob)}`, blob.bytes)),
  ]);
}

/** containerd's annotation holds the full name, the specification's only the tag. */
function namedDescriptor(plain: object, tag: string): object {
  return {
    ...plain,
    annotations: {
      'io.containerd.image.name': tag,
      'org.opencontainers.image.ref.name': tag.slice(tag.lastIndexOf(':') + 1),
    },
  };
}

function hexOf(blob: Blob): string {
  return blob.digest.replace('sha256:', '');
}

function fileEntry(path: string, content: string | Buffer): LayerEntry {
  return { type: 'file', path, content };
}
