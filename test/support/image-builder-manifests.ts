import { toBlob, type Blob, type BuiltImage, type Compression } from './image-builder.ts';

/** Whose media types a manifest uses. */
export type ManifestKind = 'oci' | 'docker';

/** A manifest or index with its media type. */
export interface Manifest extends Blob {
  readonly mediaType: string;
}

/** The part of an index that says which platform a manifest is for. */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
}

interface MediaTypes {
  readonly manifest: string;
  readonly index: string;
  readonly config: string;
  readonly layer: Readonly<Record<Compression, string>>;
}

const oci = 'application/vnd.oci.image';
const docker = 'application/vnd.docker';

const mediaTypes: Readonly<Record<ManifestKind, MediaTypes>> = {
  oci: {
    manifest: `${oci}.manifest.v1+json`,
    index: `${oci}.index.v1+json`,
    config: `${oci}.config.v1+json`,
    layer: {
      none: `${oci}.layer.v1.tar`,
      gzip: `${oci}.layer.v1.tar+gzip`,
      zstd: `${oci}.layer.v1.tar+zstd`,
    },
  },
  docker: {
    manifest: `${docker}.distribution.manifest.v2+json`,
    index: `${docker}.distribution.manifest.list.v2+json`,
    config: `${docker}.container.image.v1+json`,
    layer: {
      none: `${docker}.image.rootfs.diff.tar`,
      gzip: `${docker}.image.rootfs.diff.tar.gzip`,
      zstd: `${docker}.image.rootfs.diff.tar.zstd`,
    },
  },
};

/** The manifest of an image. */
export function imageManifest(image: BuiltImage, kind: ManifestKind): Manifest {
  const types = mediaTypes[kind];
  return toManifest(types.manifest, {
    config: descriptor(types.config, image.config),
    layers: image.layers.map((layer) => descriptor(types.layer[layer.compression], layer)),
  });
}

/** The index (Docker's manifest list) of manifests, each with its platform. */
export function imageIndex(
  kind: ManifestKind,
  manifests: readonly { readonly manifest: Manifest; readonly platform: Platform }[],
): Manifest {
  return toManifest(mediaTypes[kind].index, {
    manifests: manifests.map(({ manifest, platform }) => ({
      ...descriptor(manifest.mediaType, manifest),
      platform,
    })),
  });
}

/** A descriptor of the blob. */
export function descriptor(mediaType: string, blob: Blob): object {
  return { mediaType, digest: blob.digest, size: blob.bytes.length };
}

function toManifest(mediaType: string, content: object): Manifest {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...content }));
  return { ...toBlob(bytes), mediaType };
}
