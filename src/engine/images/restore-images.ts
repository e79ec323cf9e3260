import type { JobStore } from '../../containerd/job-store.ts';
import type { ContainerdImage } from '../../containerd/types.ts';
import { EngineError, messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { MAX_IMAGE_CONFIG_BYTES } from '../../oci/image-config.ts';
import { isDigest } from '../../oci/digest.ts';
import { parseImageManifest, statedMediaType } from '../../oci/image-manifest.ts';
import { isManifestType, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { Image, ImageLayer, ImageStore } from '../../state/image-store.ts';
import { SNAPSHOTTER } from '../snapshotter.ts';
import { chainIdsOf } from './chain-ids.ts';
import { readSmallBlob } from './image-work.ts';
import { checkImageConfig } from './register-image.ts';

/** What the images of an earlier process are found with. */
export interface RestoreParts {
  readonly store: JobStore;
  readonly images: ImageStore;
  readonly log: Logger;
}

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Fills the store from containerd's records, at the start of a job that an earlier process has served. */
export async function restoreImages(parts: RestoreParts): Promise<void> {
  for (const [digest, records] of await parts.images.readRecords()) await restoreOne(parts, digest, records);
}

// A record whose image is not whole (a crash came between two steps of its removal) leads to nothing: it goes.
async function restoreOne(
  parts: RestoreParts,
  digest: string,
  records: readonly ContainerdImage[],
): Promise<void> {
  try {
    parts.images.restore(await readImage(parts.store, digest), records);
  } catch (error) {
    if (!(error instanceof EngineError) || (error.kind !== 'NotFound' && error.kind !== 'InvalidArgument'))
      throw error;
    parts.log.warn({ manifest: digest, err: messageOf(error) }, 'dropping records of an incomplete image');
    await parts.images.dropRecords(records);
  }
}

async function readImage(store: JobStore, digest: string): Promise<Image> {
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
    const { sizeBytes } = await store.snapshots(SNAPSHOTTER).usage(chainId);
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
