import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import { DOCKER_IMAGE_CONFIG, DOCKER_MANIFEST } from '../../oci/media-types.ts';
import { digestOf } from './chain-ids.ts';
import type { SmallBlob } from './register-image.ts';

/** A manifest for an image that came without one or was made here: the same for the same blobs, byte for byte. */
export function composeManifest(
  config: Pick<ContentDescriptor, 'digest' | 'size'>,
  layers: readonly ContentDescriptor[],
): SmallBlob {
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: { mediaType: DOCKER_IMAGE_CONFIG, size: config.size, digest: config.digest },
      layers: layers.map(({ mediaType, size, digest }) => ({ mediaType, size, digest })),
    }),
  );
  return { mediaType: DOCKER_MANIFEST, digest: digestOf(bytes), size: bytes.byteLength, bytes };
}
