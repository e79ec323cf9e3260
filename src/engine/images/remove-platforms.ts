import { EngineError } from '../../errors.ts';
import { selectEntry, type IndexEntry } from '../../oci/image-manifest.ts';
import { formatPlatform, parsePlatform, platformDistance, type Platform } from '../../oci/platform.ts';
import type { Image, ImageName } from '../../state/image-store.ts';
import type { ImageDeleteItem } from '../../wire/image-delete.ts';
import type { Job } from '../job.ts';
import { nameMeant, positionsOf, readHeldIndex, readVariant } from './held-index.ts';
import { hostPlatform } from './host-platform.ts';
import { familiarImageName } from './image-names.ts';
import { withImageWork, type ImageWork } from './image-work.ts';
import { unpackVariant } from './open-variant.ts';
import { pruneImage, untagImage } from './remove-image.ts';
import { resolveImage } from './resolve-image.ts';

/** A name of the job as it is to be once a manifest is gone from what it leads to. */
interface Change {
  readonly name: ImageName;
  /** What the name's index keeps. */
  readonly members: readonly number[];
  /** The image that the name leads to from then on; undefined where none is left. */
  readonly image: Image | undefined;
}

/**
 * `docker rmi --platform`: takes single platforms from all names of the job that lead to them, as containerd's image
 * store does it. A name that would lead to nothing goes; what is on the disk goes with the index.
 */
export async function removePlatforms(
  job: Job,
  imageRef: string,
  { force, platforms }: { readonly force: boolean; readonly platforms: readonly string[] },
): Promise<readonly ImageDeleteItem[]> {
  if (!force)
    throw new EngineError(
      'InvalidArgument',
      // With the dash that dockerd has there.
      'Content will be removed from all images referencing this variant. Use —-force to force delete.',
    );
  const wanted = platforms.map((text) => parsePlatform(text, hostPlatform(job)));
  const image = resolveImage(job, imageRef);
  // By its name, where it has one: an id is that of one platform's image, which may be the first to go.
  const subject = nameMeant(job, imageRef, image)?.name ?? imageRef;
  return withImageWork({ job, report: () => undefined, signal: job.signal }, async (work) => {
    const items: ImageDeleteItem[] = [];
    for (const platform of wanted) items.push(...(await removePlatform(work, subject, platform)));
    return items;
  });
}

async function removePlatform(
  work: ImageWork,
  subject: string,
  platform: Platform,
): Promise<readonly ImageDeleteItem[]> {
  const { job } = work;
  const digest = await findManifest(job, subject, platform);
  const changes: Change[] = [];
  for (const name of job.images.list().flatMap(({ id }) => job.images.namesOf(id))) {
    const change = await planChange(work, name, digest);
    if (change) changes.push(change);
  }
  return job.images.lock.run('names', async () => {
    const items: ImageDeleteItem[] = [{ Deleted: digest }];
    for (const change of changes) items.push(...(await applyChange(job, change)));
    for (const { name } of changes) items.push(...(await pruneImage(job, name.imageId)));
    return items;
  });
}

/** The digest of the manifest that the subject has for exactly this platform; NotFound in dockerd's words. */
async function findManifest(job: Job, subject: string, platform: Platform): Promise<string> {
  const image = resolveImage(job, subject);
  const name = nameMeant(job, subject, image);
  const index = name && (await readHeldIndex(job.store, name));
  const isWanted = (offered: Platform): boolean => platformDistance(platform, offered) === 0;
  if (!index && isWanted(image.config.platform)) return image.manifest.digest;
  for (const entry of imagesOf(index?.held ?? []))
    if (isWanted(await platformOf(job, entry))) return entry.digest;
  throw new EngineError(
    'NotFound',
    `failed to delete platform ${formatPlatform(platform)} for image ${image.id}: image with reference ` +
      `${name ? familiarImageName(name.name) : subject} was found but does not provide the specified ` +
      `platform (${formatPlatform(platform)})`,
  );
}

function imagesOf(entries: readonly IndexEntry[]): readonly IndexEntry[] {
  return entries.filter(({ attests }) => attests === '');
}

async function platformOf(job: Job, entry: IndexEntry): Promise<Platform> {
  return entry.platform ?? (await readVariant(job, entry)).config.platform;
}

/** What becomes of a name without this manifest; undefined where it does not lead to it. */
async function planChange(work: ImageWork, name: ImageName, digest: string): Promise<Change | undefined> {
  const { job } = work;
  const isOwn = name.image.manifest.digest === digest;
  const index = await readHeldIndex(job.store, name);
  const gone = index ? positionsOf(index.entries, [digest]) : [];
  const members = name.members.filter((position) => !gone.includes(position));
  if (!isOwn) return members.length < name.members.length ? { name, members, image: name.image } : undefined;
  const left = imagesOf(index?.held ?? []).filter(
    (entry) => entry.digest !== digest && (entry.platform?.os ?? 'linux') === 'linux',
  );
  const next = selectEntry(left, hostPlatform(job)) ?? left[0];
  return { name, members, image: next && (await openEntry(work, next)) };
}

/** Of what is left, what a name leads to has to be unpacked. */
async function openEntry(work: ImageWork, entry: IndexEntry): Promise<Image> {
  const image = await readVariant(work.job, entry);
  return work.job.images.get(image.id) ? image : unpackVariant(work, image);
}

async function applyChange(job: Job, { name, members, image }: Change): Promise<readonly ImageDeleteItem[]> {
  // A name that was moved meanwhile is another's.
  if (job.images.findName(name.name) !== name) return [];
  if (!image) return [await untagImage(job, name.image, name.name)];
  const kind = name.kind === 'digest' ? 'digest' : 'tag';
  await job.images.put(image, [{ ...name, kind, imageId: image.id, members }]);
  return [];
}
