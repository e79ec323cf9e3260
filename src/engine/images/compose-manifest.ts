import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import {
  DOCKER_IMAGE_CONFIG,
  DOCKER_MANIFEST,
  OCI_IMAGE_CONFIG,
  OCI_MANIFEST,
  ociLayerType,
} from '../../oci/media-types.ts';
import { digestOf } from './chain-ids.ts';
import type { SmallBlob } from './register-image.ts';

/** Which media types a manifest that is made here has. */
export type ManifestForm = 'docker' | 'oci';

/** A manifest for an image that came without one or was made here: the same for the same blobs, byte for byte. */
export function composeManifest(
  config: Pick<ContentDescriptor, 'digest' | 'size'>,
  layers: readonly ContentDescriptor[],
  form: ManifestForm = 'docker',
): SmallBlob {
  const isOci = form === 'oci';
  const mediaType = isOci ? OCI_MANIFEST : DOCKER_MANIFEST;
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: isOci ? OCI_IMAGE_CONFIG : DOCKER_IMAGE_CONFIG,
        size: config.size,
        digest: config.digest,
      },
      layers: layers.map((layer) => ({
        mediaType: isOci ? ociLayerType(layer.mediaType) : layer.mediaType,
        size: layer.size,
        digest: layer.digest,
      })),
    }),
  );
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength, bytes };
}
