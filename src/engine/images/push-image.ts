import { EngineError, ShapeError } from '../../errors.ts';
import {
  familiarName,
  familiarString,
  parseReference,
  recordName,
  repositoryName,
  type ImageReference,
} from '../../oci/reference.ts';
import type { RegistryCredentials } from '../../registry/types.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import { isIndexType } from '../../oci/media-types.ts';
import type { Image, ImageName } from '../../state/image-store.ts';
import type { ImageProgress } from '../../wire/image-progress.ts';
import type { Job } from '../job.ts';
import { createBlobAccess } from './blob-access.ts';
import { distributionForm } from './distribution-form.ts';
import { emitImageEvent } from './emit-image-event.ts';
import { readHeldIndex, readMemberReferences, resolveForPlatform } from './held-index.ts';
import { claimContent, keepImage, readSmallBlob, withImageWork, type ImageWork } from './image-work.ts';
import { pushConfig, pushLayers, type PushTarget } from './push-layers.ts';

/** What a client wants pushed. */
export interface PushRequest {
  /** Without a tag it is every tag of the repository. */
  readonly reference: ImageReference;
  /** As typed after `--platform`, or empty. */
  readonly platform: string;
  readonly credentials?: RegistryCredentials;
  readonly report: (progress: ImageProgress) => void;
  readonly signal: AbortSignal;
}

type TaggedReference = ImageReference & { readonly tag: string };

const MAX_MOUNT_SOURCES = 10;
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** `docker push`: sends what the registry does not have, and then the name. */
export async function pushImage(job: Job, request: PushRequest): Promise<void> {
  const { reference } = request;
  request.report({ status: `The push refers to repository [${repositoryName(reference)}]` });
  if (reference.digest !== undefined) throw new ShapeError('cannot push a digest reference');
  const references = referencesOf(job, reference);
  await withImageWork({ job, report: request.report, signal: request.signal }, async (work) => {
    const target = openTarget(work, request);
    const pushed: Image[] = [];
    for (const one of references)
      pushed.push(await pushTag(work, one, { target, platform: request.platform }));
    const [image] = pushed;
    emitImageEvent(job, 'push', {
      ...(image && reference.tag !== undefined ? { image } : {}),
      actorId: familiarString(reference),
      name: familiarName(reference),
    });
  });
}

function referencesOf(job: Job, reference: ImageReference): readonly TaggedReference[] {
  const { domain, path, tag } = reference;
  const prefix = `${repositoryName(reference)}:`;
  const names = job.images
    .list()
    .flatMap(({ id }) => job.images.namesOf(id))
    .filter(({ kind, name }) => kind === 'tag' && name.startsWith(prefix));
  if (names.length === 0)
    throw new EngineError(
      'NotFound',
      `An image does not exist locally with the tag: ${familiarName(reference)}`,
    );
  if (tag === undefined)
    return names.map(({ name }) => ({ domain, path, tag: name.slice(prefix.length) })).sort(byTag);
  if (!job.images.findName(recordName(reference)))
    throw new EngineError('NotFound', `tag does not exist: ${familiarString(reference)}`);
  return [{ domain, path, tag }];
}

function byTag(a: TaggedReference, b: TaggedReference): number {
  return a.tag < b.tag ? -1 : 1;
}

function openTarget({ job, signal }: ImageWork, { reference, credentials }: PushRequest): PushTarget {
  const sources = mountSources(job, reference);
  const mountFrom = [...new Set(sources.values())].slice(0, MAX_MOUNT_SOURCES);
  return {
    repository: job.registry.openForPush({
      reference,
      familiarName: familiarName(reference),
      ...(credentials ? { credentials } : {}),
      mountFrom,
      signal,
    }),
    mountSource(diffId) {
      const path = sources.get(diffId);
      return path !== undefined && mountFrom.includes(path) ? path : undefined;
    },
    present: new Set(),
    uploaded: new Set(),
  };
}

/** By diff id, another repository of the same registry that it came from or went to: only a digest's name tells that. */
function mountSources(job: Job, reference: ImageReference): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const image of job.images.list())
    for (const { kind, name } of job.images.namesOf(image.id)) {
      if (kind !== 'digest') continue;
      const { domain, path } = parseReference(name);
      if (domain !== reference.domain || path === reference.path) continue;
      for (const { diffId } of image.layers) sources.set(diffId, path);
    }
  return sources;
}

async function pushTag(
  work: ImageWork,
  reference: TaggedReference,
  { target, platform }: { readonly target: PushTarget; readonly platform: string },
): Promise<Image> {
  const { job } = work;
  const image = await resolveForPlatform(job, familiarString(reference), platform);
  await keepImage(work, image);
  const name = platform === '' ? job.images.findName(recordName(reference)) : undefined;
  const manifest =
    (name && (await pushIndex(work, name, { tag: reference.tag, target }))) ??
    (await pushManifest(work, image, { tag: reference.tag, target }));
  const { digest, size } = manifest;
  await keepForLater(work, reference, { target, manifest });
  await noteDigest(work, {
    image,
    reference,
    manifest,
    members: isIndexType(manifest.mediaType) ? (name?.members ?? []) : [],
  });
  work.report({ status: `${reference.tag}: digest: ${digest} size: ${size}` });
  work.report({ progressDetail: {}, aux: { Tag: reference.tag, Digest: digest, Size: size } });
  return image;
}

/** Lets the next job of the scope have what the registry was sent, as if this one had pulled it there. */
async function keepForLater(
  { job, store }: ImageWork,
  reference: TaggedReference,
  { target, manifest }: { readonly target: PushTarget; readonly manifest: ContentDescriptor },
): Promise<void> {
  const { servedLabels } = createBlobAccess(job, reference);
  if (Object.keys(servedLabels).length > 0)
    for (const digest of target.uploaded) await store.content.updateLabels(digest, servedLabels);
  target.uploaded.clear();
  const { mediaType, digest, size } = manifest;
  await job.cache.keep({ mediaType, digest, size, name: familiarString(reference) });
  job.tasks.track('use of a kept image', job.cache.noteUses());
}

async function pushManifest(
  work: ImageWork,
  image: Image,
  { tag, target }: { readonly tag: string; readonly target: PushTarget },
): Promise<ContentDescriptor> {
  const form = await distributionForm(work, image);
  await pushLayers(work, form.layers, target);
  await pushConfig(work, form.config, target);
  await target.repository.pushManifest(tag, form.manifest);
  target.uploaded.add(form.manifest.digest);
  return form.manifest;
}

/** Sends the index that the name leads to, if the job has all of it; undefined otherwise. Its manifests go by their digests. */
async function pushIndex(
  work: ImageWork,
  name: ImageName,
  { tag, target }: { readonly tag: string; readonly target: PushTarget },
): Promise<ContentDescriptor | undefined> {
  const index = await readHeldIndex(work.store, name);
  if (index?.isWhole !== true) return undefined;
  await claimContent(work, index.document.digest);
  for (const member of index.held) {
    const [config, ...layers] = await readMemberReferences(work.store, member);
    await pushLayers(
      work,
      layers.map((blob) => ({ diffId: blob.digest, blob })),
      target,
    );
    if (config) await pushConfig(work, config, target);
    const bytes = await readSmallBlob(work.store, member.digest, MAX_MANIFEST_BYTES);
    await target.repository.pushManifest(member.digest, { ...member, bytes });
    target.uploaded.add(member.digest);
  }
  await target.repository.pushManifest(tag, index.document);
  target.uploaded.add(index.document.digest);
  return index.document;
}

// What the registry calls the image from now on is a name of it here too, unless it was removed meanwhile.
async function noteDigest(
  { job }: ImageWork,
  pushed: {
    readonly image: Image;
    readonly reference: ImageReference;
    readonly manifest: ContentDescriptor;
    readonly members: readonly number[];
  },
): Promise<void> {
  const { image, reference, members } = pushed;
  const { mediaType, digest, size } = pushed.manifest;
  const name = `${repositoryName(reference)}@${digest}`;
  await job.images.lock.run('names', async () => {
    if (!job.images.get(image.id) || job.images.findName(name)) return;
    const target = { mediaType, digest, size };
    await job.images.put(image, [{ name, kind: 'digest', imageId: image.id, target, members }]);
  });
}
