import type { ContentInfo } from '../../containerd/types.ts';
import { shortId } from '../../oci/digest.ts';
import { MAX_IMAGE_CONFIG_BYTES } from '../../oci/image-config.ts';
import { familiarName } from '../../oci/reference.ts';
import type { ImageLayer } from '../../state/image-store.ts';
import type { BlobAccess } from './blob-access.ts';
import { chainIdsOf } from './chain-ids.ts';
import { checkPlatform } from './check-platform.ts';
import { indexLabels, manifestLabels } from './gc-labels.ts';
import { findContent, readSmallBlob, type ImageWork } from './image-work.ts';
import type { Pull, PulledImage } from './pull-types.ts';
import { checkImageConfig } from './register-image.ts';
import {
  MAX_MANIFEST_BYTES,
  selectManifest,
  type DocumentSource,
  type SelectedManifest,
} from './select-manifest.ts';
import { claimRoom } from './unpack-limit.ts';
import { hasSnapshot } from './unpack-place.ts';

// containerd takes labels of 4096 bytes, name and value together.
const MAX_LABEL_BYTES = 4000;

/**
 * The image as the host already has it, whole and unpacked, where the registry's word gives the pull every part of it:
 * nothing is transferred, and few questions are asked of containerd, for this is what a pull mostly is. Undefined where
 * it has to be looked at part by part.
 */
export async function adoptImage(work: ImageWork, pull: Pull): Promise<PulledImage | undefined> {
  const { reference, target, platform, access } = pull;
  if (access.wholeLabel === undefined) return undefined;
  // The claim on the target holds everything: what is whole says what it refers to.
  await work.store.leases.addResource(work.leaseId, { id: target.digest, type: 'content' });
  const infos = new Map<string, ContentInfo>();
  const source = servedDocuments(work, access, infos);
  const selected = await selectManifest(source, { target, platform, familiarName: familiarName(reference) });
  const sizes = selected && recallSizes(infos, access, selected);
  if (!sizes) return undefined;
  const { parsed, manifest } = selected;
  const configBytes = await readSmallBlob(work.store, parsed.config.digest, MAX_IMAGE_CONFIG_BYTES);
  const config = checkImageConfig(configBytes, parsed.layers.length);
  checkPlatform(pull, config.platform);
  const chainIds = chainIdsOf(config.diffIds);
  const chainId = chainIds.at(-1) ?? '';
  if ((chainId !== '' && !(await hasSnapshot(work, chainId))) || !(await isGiven(pull, selected)))
    return undefined;
  const layers = parsed.layers.map((blob, index): ImageLayer => ({
    blob,
    diffId: config.diffIds[index] ?? '',
    chainId: chainIds[index] ?? '',
    sizeBytes: sizes[index] ?? 0,
  }));
  claimRoom(work, layers);
  for (const { digest } of work.job.images.get(parsed.config.digest) ? [] : parsed.layers)
    work.report({ status: 'Already exists', progressDetail: {}, id: shortId(digest) });
  pull.traffic.reusedLayers = parsed.layers.length;
  const { mediaType, digest, size } = manifest;
  const image = { id: parsed.config.digest, manifest: { mediaType, digest, size }, config, layers };
  return { image: { ...image, chainId, parentId: '' }, selected };
}

/** Writes down that the repository has served every part of an image that is unpacked; nothing where it has not. */
export async function markWhole(
  work: ImageWork,
  { access }: Pull,
  { image: { manifest, layers } }: PulledImage,
): Promise<void> {
  if (access.wholeLabel === undefined || !access.isAllServed()) return;
  const sizes = layers.map(({ sizeBytes }) => sizeBytes).join(',');
  if (sizes.length > MAX_LABEL_BYTES) return;
  await work.store.content.updateLabels(manifest.digest, { [access.wholeLabel]: sizes });
}

/** Reads documents that the repository has served, and keeps their records. */
function servedDocuments(
  work: ImageWork,
  access: BlobAccess,
  infos: Map<string, ContentInfo>,
): DocumentSource {
  return async ({ mediaType, digest }) => {
    const info = await findContent(work.store, digest);
    if (!info || !access.isServed(info)) return undefined;
    infos.set(digest, info);
    const bytes = await readSmallBlob(work.store, digest, MAX_MANIFEST_BYTES);
    return { mediaType, digest, size: info.size, bytes };
  };
}

/** Sizes of the unpacked layers, where the manifest is known to be whole and its index keeps it. */
function recallSizes(
  infos: ReadonlyMap<string, ContentInfo>,
  access: BlobAccess,
  { index, manifest, parsed }: SelectedManifest,
): readonly number[] | undefined {
  const holds = (digest: string, labels: Readonly<Record<string, string>>): boolean =>
    Object.entries(labels).every(([key, value]) => infos.get(digest)?.labels[key] === value);
  const sizes = infos.get(manifest.digest)?.labels[access.wholeLabel ?? ''];
  if (sizes === undefined || !holds(manifest.digest, manifestLabels(parsed))) return undefined;
  if (index && !holds(index.digest, indexLabels(manifest.digest))) return undefined;
  return sizes.split(',').map(Number);
}

/** A manifest that credentials opened is asked for blob by blob: they may open less than they did for another job. */
async function isGiven({ repository }: Pull, { parsed }: SelectedManifest): Promise<boolean> {
  if (repository.isAnonymous()) return true;
  const answers = await Promise.all(
    [parsed.config, ...parsed.layers].map((blob) => repository.hasBlob(blob)),
  );
  return answers.every(Boolean);
}
