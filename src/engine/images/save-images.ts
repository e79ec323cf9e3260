import type { Readable } from 'node:stream';
import type { ImageToSave } from '../../archive/types.ts';
import { EngineError, ShapeError } from '../../errors.ts';
import { isDigest } from '../../oci/digest.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts';
import {
  familiarName,
  parseReference,
  recordName,
  repositoryName,
  type ImageReference,
} from '../../oci/reference.ts';
import type { Image, ImageName } from '../../state/image-store.ts';
import type { Job } from '../job.ts';
import { composeManifest } from './compose-manifest.ts';
import { emitImageEvent } from './emit-image-event.ts';
import { readMemberReferences, readSharedIndex, resolveForPlatform } from './held-index.ts';
import { claimContent, keepImage, readSmallBlob, withImageWork, type ImageWork } from './image-work.ts';

/** What `docker save` asks for. */
export interface SaveRequest {
  /** Names, ids and their beginnings; a name without a tag stands for every tag of it. */
  readonly names: readonly string[];
  /** As typed after `--platform`, or empty. */
  readonly platform: string;
  readonly signal: AbortSignal;
  /** Takes the archive; the images are kept until it is done. */
  readonly send: (tar: Readable) => Promise<void>;
}

interface Selected {
  readonly image: Image;
  readonly names: Set<string>;
  /** A name that may lead to an index, which then goes along. */
  readonly by: ImageName | undefined;
}

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_NAMES = 1000;

/** `docker save`: one archive with all images, what they share in it once; NotFound before anything is sent. */
export async function saveImages(job: Job, request: SaveRequest): Promise<void> {
  checkImageNames(request.names);
  const selected = await select(job, request);
  const report = (): void => undefined;
  await withImageWork({ job, report, signal: request.signal }, async (work) => {
    const images: ImageToSave[] = [];
    for (const one of selected) images.push(await prepare(work, one));
    const tar = job.archives.writeImages(images, (digest) => work.store.content.read(digest));
    const stop = (): void => void tar.destroy(new EngineError('Cancelled', 'context canceled'));
    work.signal.addEventListener('abort', stop, { once: true });
    try {
      await request.send(tar);
    } finally {
      work.signal.removeEventListener('abort', stop);
      tar.destroy();
    }
    for (const { image } of selected)
      emitImageEvent(job, 'save', { image, actorId: image.id, name: image.id });
  });
}

/** Throws for names of images that `docker save` refuses whatever the job has. */
export function checkImageNames(names: readonly string[]): void {
  if (names.length > MAX_NAMES) throw new ShapeError(`more than ${MAX_NAMES} images at once`);
  for (const name of names) if (!isWholeId(name)) parseReference(name);
}

function isWholeId(typed: string): boolean {
  return isDigest(typed) || isDigest(`sha256:${typed}`);
}

async function select(job: Job, { names, platform }: SaveRequest): Promise<readonly Selected[]> {
  const selected = new Map<string, Selected>();
  const add = (image: Image, tag: ImageName | undefined): void => {
    const by = platform === '' ? tag : undefined;
    const key = by?.target.digest ?? image.manifest.digest;
    const one = selected.get(key) ?? { image, by, names: new Set<string>() };
    if (tag) one.names.add(tag.name);
    selected.set(key, one);
  };
  for (const name of names) {
    const tags = tagsMeantBy(job, name);
    for (const tag of tags) add(await resolveForPlatform(job, tag.name, platform), tag);
    if (tags.length === 0) add(await resolveForPlatform(job, name, platform), undefined);
  }
  return [...selected.values()];
}

/** The tags that go along with what was typed; none where it is an id or a digest. */
function tagsMeantBy(job: Job, typed: string): readonly ImageName[] {
  if (isWholeId(typed)) return [];
  const reference = parseReference(typed);
  if (reference.digest !== undefined) return [];
  if (reference.tag === undefined) return tagsOf(job, reference);
  const found = job.images.findName(recordName(reference));
  return found ? [found] : [];
}

function tagsOf(job: Job, reference: ImageReference): readonly ImageName[] {
  const prefix = `${repositoryName(reference)}:`;
  return job.images
    .list()
    .flatMap(({ id }) => job.images.namesOf(id))
    .filter(({ kind, name }) => kind === 'tag' && name.startsWith(prefix))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function prepare(work: ImageWork, { image, names, by }: Selected): Promise<ImageToSave> {
  await keepImage(work, image);
  const { size } = await work.store.content.info(image.id);
  const config = { digest: image.id, size };
  const blobs = image.layers.map(({ blob }) => blob);
  // A layout's readers know OCI's media types alone; a manifest that has them goes as it is, with its digest.
  const manifest =
    image.manifest.mediaType === OCI_MANIFEST
      ? {
          ...image.manifest,
          bytes: await readSmallBlob(work.store, image.manifest.digest, MAX_MANIFEST_BYTES),
        }
      : composeManifest(config, blobs, 'oci');
  const index = by && (await indexToSave(work, by));
  const described = [...names].sort().map(describeName);
  return { manifest, config, layers: blobs, names: described, ...(index ? { index } : {}) };
}

// As for manifests: an index in Docker's format would be one that a layout's readers do not know.
async function indexToSave(work: ImageWork, name: ImageName): Promise<ImageToSave['index']> {
  const index = await readSharedIndex(work.store, name);
  if (index?.document.mediaType !== OCI_INDEX) return undefined;
  await claimContent(work, index.document.digest);
  const blobs: ContentDescriptor[] = [];
  for (const member of index.held) blobs.push(...(await readMemberReferences(work.store, member)), member);
  return { ...index.document, blobs };
}

function describeName(fullName: string): ImageToSave['names'][number] {
  const reference = parseReference(fullName);
  return { repository: familiarName(reference), tag: reference.tag ?? 'latest', fullName };
}
