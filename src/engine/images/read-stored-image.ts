import type { JobStore } from '../../containerd/job-store.ts';
import { EngineError } from '../../errors.ts';
import { isDigest } from '../../oci/digest.ts';
import { MAX_IMAGE_CONFIG_BYTES } from '../../oci/image-config.ts';
import { parseImageManifest, statedMediaType } from '../../oci/image-manifest.ts';
import { isManifestType, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { Image, ImageLayer } from '../../state/image-store.ts';
import { chainIdsOf } from './chain-ids.ts';
import { readSmallBlob } from './image-work.ts';
import { checkImageConfig } from './register-image.ts';

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** The image that a manifest in the store describes; `measure` says how large each of its layers is. */
export async function readStoredImage(
  store: Pick<JobStore, 'content'>,
  digest: string,
  measure: (layer: Pick<ImageLayer, 'blob' | 'chainId'>) => Promise<number>,
): Promise<Image> {
  if (!isDigest(digest)) throw new EngineError('InvalidArgument', 'an image record names no manifest');
  const bytes = await readSmallBlob(store, digest, MAX_MANIFEST_BYTES);
  const stated = statedMediaType(bytes);
  const mediaType = isManifestType(stated) ? stated : OCI_MANIFEST;
  const parsed = parseImageManifest(bytes, mediaType);
  const configBytes = await readSmallBlob(store, parsed.config.digest, MAX_IMAGE_CONFIG_BYTES);
  const config = checkImageConfig(configBytes, parsed.layers.length);
  const chainIds = chainIdsOf(config.diffIds);
  const layers: ImageLayer[] = [];
  for (const [index, blob] of parsed.layers.entries()) {
    const chainId = chainIds[index] ?? '';
    const sizeBytes = await measure({ blob, chainId });
    layers.push({ blob, diffId: config.diffIds[index] ?? '', chainId, sizeBytes });
  }
  return {
    id: parsed.config.digest,
    manifest: { mediaType, digest, size: bytes.byteLength },
    config,
    layers,
    chainId: chainIds.at(-1) ?? '',
    parentId: '',
  };
}
