import { encodeImageConfig } from '../../oci/encode-image-config.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { DOCKER_IMAGE_CONFIG } from '../../oci/media-types.ts';
import type { Image, ImageLayer } from '../../state/image-store.ts';
import { digestOf } from './chain-ids.ts';
import { composeManifest } from './compose-manifest.ts';
import type { ImageWork } from './image-work.ts';
import { checkImageConfig, storeDocuments } from './register-image.ts';

/** What an image is made from here. */
export interface NewImageParts {
  /** Its diff ids are those of the layers, whatever it says. */
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
  /** Empty where it was made from nothing. */
  readonly parentId: string;
}

/** Stores an image's documents; it is kept by the work's lease until the caller puts it into the store of images. */
export async function createImage(
  work: ImageWork,
  { config, layers, parentId }: NewImageParts,
): Promise<Image> {
  const bytes = encodeImageConfig({ ...config, diffIds: layers.map(({ diffId }) => diffId) });
  const blob = { mediaType: DOCKER_IMAGE_CONFIG, digest: digestOf(bytes), size: bytes.byteLength, bytes };
  const blobs = layers.map((layer) => layer.blob);
  const documents = {
    config: blob,
    manifest: composeManifest(blob, blobs),
    parsedManifest: { config: blob, layers: blobs },
    index: undefined,
  };
  const image = await storeDocuments(work, documents, {
    config: checkImageConfig(bytes, layers.length),
    layers,
  });
  return { ...image, parentId };
}
