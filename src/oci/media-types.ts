/** Media types of what names several manifests. */
export const DOCKER_MANIFEST_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
/** The OCI form of a manifest list. */
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
/** Docker's manifest, schema 2. */
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
/** The OCI manifest. */
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
/** Docker's image configuration. */
export const DOCKER_IMAGE_CONFIG = 'application/vnd.docker.container.image.v1+json';

/** The OCI form of the same. */
export const OCI_IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';

/** How a layer blob is compressed. */
export type LayerCompression = 'none' | 'gzip' | 'zstd';

const schema1Types: ReadonlySet<string> = new Set([
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
]);

const configTypes: ReadonlySet<string> = new Set([DOCKER_IMAGE_CONFIG, OCI_IMAGE_CONFIG]);

const layerTypes: ReadonlySet<string> = new Set([
  'application/vnd.docker.image.rootfs.diff.tar',
  'application/vnd.docker.image.rootfs.diff.tar.gzip',
  'application/vnd.docker.image.rootfs.diff.tar.zstd',
  'application/vnd.oci.image.layer.v1.tar',
  'application/vnd.oci.image.layer.v1.tar+gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd',
]);

const foreignLayerTypes: ReadonlySet<string> = new Set([
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
]);

/** True for a manifest list or an OCI index. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === DOCKER_MANIFEST_LIST || mediaType === OCI_INDEX;
}

/** True for a manifest of one image. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === DOCKER_MANIFEST || mediaType === OCI_MANIFEST;
}

/** True for Docker's first manifest format, which has no content addresses and is refused everywhere. */
export function isSchema1Type(mediaType: string): boolean {
  return schema1Types.has(mediaType);
}

/** True for an image configuration. */
export function isConfigType(mediaType: string): boolean {
  return configTypes.has(mediaType);
}

/** True for a layer that can be unpacked. */
export function isLayerType(mediaType: string): boolean {
  return layerTypes.has(mediaType);
}

/** True for a layer that a registry does not hold itself. */
export function isForeignLayerType(mediaType: string): boolean {
  return foreignLayerTypes.has(mediaType);
}

/** The media type of a layer that has come without one. */
export function layerMediaType(compression: LayerCompression): string {
  // containerd unpacks zstd under OCI's name for it alone.
  if (compression === 'zstd') return 'application/vnd.oci.image.layer.v1.tar+zstd';
  return compression === 'none'
    ? 'application/vnd.docker.image.rootfs.diff.tar'
    : 'application/vnd.docker.image.rootfs.diff.tar.gzip';
}

/** The OCI name of a layer's media type, whichever of the two it has. */
export function ociLayerType(mediaType: string): string {
  return mediaType.replace(
    /^application\/vnd\.docker\.image\.rootfs\.diff\.tar(?:\.(gzip|zstd))?$/,
    (_, compression: string | undefined) =>
      `application/vnd.oci.image.layer.v1.tar${compression === undefined ? '' : `+${compression}`}`,
  );
}
