import type { JobStore } from '../../containerd/job-store.ts';
import { EngineError, isErrorKind } from '../../errors.ts';
import { MAX_IMAGE_CONFIG_BYTES, parseImageConfig } from '../../oci/image-config.ts';
import {
  parseImageIndex,
  parseReferences,
  selectEntry,
  type ContentDescriptor,
  type IndexEntry,
} from '../../oci/image-manifest.ts';
import { isIndexType, isManifestType } from '../../oci/media-types.ts';
import { parsePlatform } from '../../oci/platform.ts';
import { parseReference, recordName } from '../../oci/reference.ts';
import type { Image, ImageName } from '../../state/image-store.ts';
import type { Job } from '../job.ts';
import { indexLabels, manifestLabels } from './gc-labels.ts';
import { hostPlatform } from './host-platform.ts';
import { readSmallBlob } from './image-work.ts';
import { readStoredImage } from './read-stored-image.ts';
import type { SmallBlob } from './register-image.ts';
import { resolveImage } from './resolve-image.ts';

/** An index that a name of the job leads to. */
export interface HeldIndex {
  readonly document: SmallBlob;
  /** All that it lists, in its order. */
  readonly entries: readonly IndexEntry[];
  /** Those of them that the job has: what else of the index the host may have is another job's. */
  readonly held: readonly IndexEntry[];
  /** True where the job has all of it. */
  readonly isWhole: boolean;
}

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** The index of the name; undefined where the name leads to a manifest. */
export async function readHeldIndex(
  store: Pick<JobStore, 'content'>,
  { target, members }: Pick<ImageName, 'target' | 'members'>,
): Promise<HeldIndex | undefined> {
  if (!isIndexType(target.mediaType)) return undefined;
  const bytes = await readSmallBlob(store, target.digest, MAX_MANIFEST_BYTES);
  const entries = parseImageIndex(bytes, target.mediaType);
  const held = entries.filter((_entry, position) => members.includes(position));
  return { document: { ...target, bytes }, entries, held, isWhole: held.length === entries.length };
}

/** The index where it, and not one manifest of it, is what goes along with its name: all of it or several images are there. */
export async function readSharedIndex(
  store: Pick<JobStore, 'content'>,
  name: Pick<ImageName, 'target' | 'members'>,
): Promise<HeldIndex | undefined> {
  const index = await readHeldIndex(store, name);
  const images = index?.held.filter(({ attests }) => attests === '') ?? [];
  return index && (index.isWhole || images.length > 1) ? index : undefined;
}

/** Positions of the manifests with these digests. */
export function positionsOf(entries: readonly IndexEntry[], digests: readonly string[]): readonly number[] {
  return entries.flatMap(({ digest }, position) => (digests.includes(digest) ? [position] : []));
}

/** Has the index keep manifests that are in the store, and these what they refer to, for as long as it is kept itself. */
export async function keepMembers(
  { content }: Pick<JobStore, 'content'>,
  indexDigest: string,
  members: readonly ContentDescriptor[],
): Promise<void> {
  for (const member of members) {
    const references = await readMemberReferences({ content }, member);
    const [config, ...layers] = references;
    if (!config) continue;
    await content.updateLabels(member.digest, manifestLabels({ config, layers }));
    await content.updateLabels(indexDigest, indexLabels(member.digest));
  }
}

/** What a manifest of an index refers to, its configuration first. */
export async function readMemberReferences(
  store: Pick<JobStore, 'content'>,
  { digest, mediaType }: ContentDescriptor,
): Promise<readonly ContentDescriptor[]> {
  return parseReferences(await readSmallBlob(store, digest, MAX_MANIFEST_BYTES), mediaType);
}

/**
 * As resolveImage; where a name's own image is of another platform, another one of the name's index that the job has.
 * That one need not be unpacked: it can be looked at and sent on.
 */
export async function resolveForPlatform(
  job: Pick<Job, 'images' | 'host' | 'store'>,
  imageRef: string,
  platform: string,
): Promise<Image> {
  try {
    return resolveImage(job, imageRef, platform);
  } catch (error) {
    if (platform === '' || !isErrorKind(error, 'NotFound')) throw error;
    const image = resolveImage(job, imageRef);
    const entry = await findVariant(job, { imageRef, image, platform });
    if (!entry) throw error;
    return readVariant(job, entry);
  }
}

async function findVariant(
  job: Pick<Job, 'images' | 'host' | 'store'>,
  wanted: { readonly imageRef: string; readonly image: Image; readonly platform: string },
): Promise<IndexEntry | undefined> {
  const name = nameMeant(job, wanted.imageRef, wanted.image);
  const index = name && (await readHeldIndex(job.store, name));
  return index && selectEntry(index.held, parsePlatform(wanted.platform, hostPlatform(job)));
}

/** The name that was typed, or for an id the latest that gives this form of the image. */
export function nameMeant(job: Pick<Job, 'images'>, imageRef: string, image: Image): ImageName | undefined {
  const names = job.images.namesOf(image.id);
  return (
    findTyped(job, imageRef) ?? names.findLast((one) => one.image.manifest.digest === image.manifest.digest)
  );
}

function findTyped(job: Pick<Job, 'images'>, imageRef: string): ImageName | undefined {
  try {
    return job.images.findName(recordName(parseReference(imageRef)));
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'InvalidArgument') return undefined;
    throw error;
  }
}

/** The image of a manifest that an index holds; where it is none of the job's, its layers are as large as their blobs. */
export async function readVariant(job: Pick<Job, 'images' | 'store'>, entry: IndexEntry): Promise<Image> {
  if (!isManifestType(entry.mediaType)) throw new EngineError('NotFound', `No such image: ${entry.digest}`);
  const image = await readStoredImage(job.store, entry.digest, ({ blob }) => Promise.resolve(blob.size));
  const known = job.images.get(image.id);
  if (!known) return image;
  const sizes = new Map(known.layers.map(({ chainId, sizeBytes }) => [chainId, sizeBytes]));
  const layers = image.layers.map((layer) => ({ ...layer, sizeBytes: sizes.get(layer.chainId) ?? 0 }));
  return { ...image, layers, parentId: known.parentId };
}

/** The platform that an image's configuration states. */
export async function readPlatformOf(
  store: Pick<JobStore, 'content'>,
  config: ContentDescriptor,
): Promise<ReturnType<typeof parseImageConfig>['platform']> {
  return parseImageConfig(await readSmallBlob(store, config.digest, MAX_IMAGE_CONFIG_BYTES)).platform;
}
