import type { JobStore } from '../../containerd/job-store.ts';
import type { ContentInfo } from '../../containerd/types.ts';
import { isErrorKind } from '../../errors.ts';
import { shortId } from '../../oci/digest.ts';
import { MAX_IMAGE_CONFIG_BYTES } from '../../oci/image-config.ts';
import { familiarName, familiarString } from '../../oci/reference.ts';
import type { Image, ImageLayer } from '../../state/image-store.ts';
import type { Job } from '../job.ts';
import type { BlobAccess } from './blob-access.ts';
import { chainIdsOf } from './chain-ids.ts';
import { checkPlatform } from './check-platform.ts';
import { indexLabels, manifestLabels } from './gc-labels.ts';
import { checkActive, countingUnpacked, findContent, readSmallBlob, type ImageWork } from './image-work.ts';
import { markPublic } from './public-manifests.ts';
import type { Pull, PulledImage } from './pull-types.ts';
import { pulledNames } from './pulled-names.ts';
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
 * nothing is transferred, and little is asked of containerd, for this is what a pull mostly is. Undefined where it has to be
 * looked at part by part.
 */
export async function adoptImage(
  job: Job,
  pull: Pull,
  client: Pick<ImageWork, 'report' | 'signal'>,
): Promise<Image | undefined> {
  const found = await findWhole(job.store, pull);
  if (!found || !(await isGiven(pull, found.selected))) return undefined;
  const { image } = found;
  const isKnown = job.images.get(image.id) !== undefined;
  const isNamed = await countingUnpacked(job, (unpacked) => {
    claimRoom({ job, unpacked }, image.layers);
    checkActive({ signal: AbortSignal.any([client.signal, job.signal]) });
    return job.images.lock.run('names', () => nameWhole(job, pull, found));
  });
  if (!isNamed) return undefined;
  for (const { blob } of isKnown ? [] : image.layers)
    client.report({ status: 'Already exists', progressDetail: {}, id: shortId(blob.digest) });
  pull.traffic.reusedLayers = image.layers.length;
  return image;
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

/** An image that was whole when it was looked for; nothing keeps it for the job yet. */
async function findWhole(store: JobStore, pull: Pull): Promise<PulledImage | undefined> {
  const { reference, target, platform, access } = pull;
  if (access.wholeLabel === undefined) return undefined;
  const infos = new Map<string, ContentInfo>();
  const source = servedDocuments(store, access, infos);
  const selected = await selectManifest(source, { target, platform, familiarName: familiarName(reference) });
  const sizes = selected && recallSizes(infos, access, selected);
  const configBytes =
    sizes && (await readIfThere(store, selected.parsed.config.digest, MAX_IMAGE_CONFIG_BYTES));
  if (!configBytes) return undefined;
  const { parsed, manifest } = selected;
  const config = checkImageConfig(configBytes, parsed.layers.length);
  checkPlatform(pull, config.platform);
  const chainIds = chainIdsOf(config.diffIds);
  const layers = parsed.layers.map((blob, index): ImageLayer => ({
    blob,
    diffId: config.diffIds[index] ?? '',
    chainId: chainIds[index] ?? '',
    sizeBytes: sizes[index] ?? 0,
  }));
  const { mediaType, digest, size } = manifest;
  const image = { id: parsed.config.digest, manifest: { mediaType, digest, size }, config, layers };
  return { image: { ...image, chainId: chainIds.at(-1) ?? '', parentId: '' }, selected };
}

/**
 * Gives the image its names, the one by digest first: as what it leads to says what it refers to, its record keeps
 * everything from then on, as a lease would, which is three more writes. So whether all of it is there is asked after that;
 * false where it is not, and then it has no name of this pull.
 */
async function nameWhole(job: Job, pull: Pull, found: PulledImage): Promise<boolean> {
  const { images } = job;
  const { image } = found;
  const { tag, digest } = pulledNames(job, pull, found);
  const isClaimed = images.findName(digest.name) !== undefined;
  const isKnown = images.get(image.id) !== undefined;
  if (!isClaimed) await images.put(image, [digest]);
  let isWhole = false;
  try {
    isWhole = await isStillWhole(job.store, pull, found);
  } finally {
    if (!isWhole && !isClaimed) await (isKnown ? images.removeName(digest.name) : images.remove(image.id));
  }
  if (!isWhole) return false;
  await Promise.all([
    images.put(image, isClaimed ? [...tag, digest] : tag),
    markPublic(job, pull),
    job.cache.keep({ ...pull.target, name: familiarString(pull.reference) }),
  ]);
  return true;
}

/** Reads documents that the repository has served, and keeps their records. */
function servedDocuments(
  store: JobStore,
  access: BlobAccess,
  infos: Map<string, ContentInfo>,
): DocumentSource {
  return async ({ mediaType, digest }) => {
    const [info, bytes] = await Promise.all([
      findContent(store, digest),
      readIfThere(store, digest, MAX_MANIFEST_BYTES),
    ]);
    if (!info || !bytes || !access.isServed(info)) return undefined;
    infos.set(digest, info);
    return { mediaType, digest, size: info.size, bytes };
  };
}

async function readIfThere(
  store: JobStore,
  digest: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  try {
    return await readSmallBlob(store, digest, maxBytes);
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** True where the store has all of the image now, and it is the repository's as much as when it was found. */
async function isStillWhole(
  store: JobStore,
  { access }: Pull,
  { image, selected }: PulledImage,
): Promise<boolean> {
  const { index, manifest } = selected;
  const documents = [...(index ? [index.digest] : []), manifest.digest];
  const [listed, isUnpacked] = await Promise.all([
    store.content.list([...documents, image.id].map((digest) => `digest==${digest}`)),
    image.chainId === '' || hasSnapshot(store, image.chainId),
  ]);
  const infos = new Map(listed.map((info) => [info.digest, info]));
  const isServed = (digest: string): boolean => {
    const info = infos.get(digest);
    return info !== undefined && access.isServed(info);
  };
  return (
    isUnpacked &&
    infos.has(image.id) &&
    documents.every(isServed) &&
    recallSizes(infos, access, selected) !== undefined
  );
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
