import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import { parsePlatform, platformDistance, type Platform } from '../../oci/platform.ts';
import {
  familiarName,
  familiarString,
  recordName,
  withDefaultTag,
  type ImageReference,
} from '../../oci/reference.ts';
import type { RegistryCredentials } from '../../registry/types.ts';
import type { Image } from '../../state/image-store.ts';
import type { ImageProgress } from '../../wire/image-progress.ts';
import type { Job } from '../job.ts';
import { adoptImage, markWhole } from './adopt-image.ts';
import { createBlobAccess } from './blob-access.ts';
import { emitImageEvent } from './emit-image-event.ts';
import { fetchImage } from './fetch-image.ts';
import { hostPlatform } from './host-platform.ts';
import { checkActive, withImageWork, type ImageWork } from './image-work.ts';
import { findPublicTarget, markPublic } from './public-manifests.ts';
import type { Pull } from './pull-types.ts';
import { namesOf, pulledNames } from './pulled-names.ts';
import { reportPull } from './report-pull.ts';

/** What a client wants pulled. */
export interface PullRequest {
  /** Without a tag and digest it is `latest` that is meant. */
  readonly reference: ImageReference;
  /** As typed after `--platform`, or empty. */
  readonly platform: string;
  readonly credentials?: RegistryCredentials;
  /** Gets a line for everything that happens, the first one once the registry has named the image. */
  readonly report: (progress: ImageProgress) => void;
  readonly signal: AbortSignal;
}

/** `docker pull`: the registry is asked each time what a tag names; only what the host does not have is fetched. */
export async function pullImage(job: Job, request: PullRequest): Promise<void> {
  const { image, isNew } = await pullTag(job, request);
  tellPulled(job, request, { image, isNew });
}

/** Ends a pull as dockerd does: in one line and one event, for all tags of a repository, too. */
export function tellPulled(
  job: Job,
  { reference: asked, report }: PullRequest,
  { image, isNew }: { readonly image?: Image; readonly isNew: boolean },
): void {
  const reference = image ? withDefaultTag(asked) : asked;
  const shown = familiarString(reference);
  report({ status: `Status: ${isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${shown}` });
  emitImageEvent(job, 'pull', {
    ...(image ? { image } : {}),
    actorId: shown,
    name: familiarName(reference),
  });
}

/** Pulls one image up to its line with the digest; `isNew` where the name stood for another one, or none. */
export async function pullTag(
  job: Job,
  request: PullRequest,
): Promise<{ readonly image: Image; readonly isNew: boolean }> {
  const startedAt = performance.now();
  const pull = await openPull(job, request);
  const { reference, target } = pull;
  request.report({
    status: `Pulling from ${reference.path}`,
    id: reference.digest ?? reference.tag ?? 'latest',
  });
  const before = job.images.findName(recordName(reference))?.imageId;
  const image =
    (await confirmCurrent(job, pull)) ??
    (await adoptImage(job, pull, request)) ??
    (await withImageWork({ job, report: request.report, signal: request.signal }, (work) =>
      bringImage(work, pull),
    ));
  request.report({ status: `Digest: ${target.digest}` });
  job.tasks.track(
    'make room for images',
    job.cache.noteUses().then(() => job.cache.makeRoom()),
  );
  reportPull(job, pull, { image, durationMs: Math.round(performance.now() - startedAt) });
  return { image, isNew: before !== image.id };
}

async function openPull(job: Job, request: PullRequest): Promise<Pull> {
  const reference = withDefaultTag(request.reference);
  const host = hostPlatform(job);
  const platform = request.platform === '' ? host : parsePlatform(request.platform, host);
  const repository = job.registry.open({
    reference,
    familiarName: familiarName(reference),
    ...(request.credentials ? { credentials: request.credentials } : {}),
    signal: AbortSignal.any([request.signal, job.signal]),
  });
  const access = createBlobAccess(job, reference);
  const known = pinnedTarget(job, reference, platform) ?? (await findPublicTarget(job, access, reference));
  const target = known ?? (await repository.resolve(reference.digest ?? reference.tag ?? 'latest'));
  return {
    reference,
    platform,
    isPlatformAsked: request.platform !== '',
    repository,
    access,
    target,
    isAsked: known === undefined,
    traffic: { networkBytes: 0, reusedLayers: 0 },
  };
}

/** What the job has under this digest already: nothing that a registry says could change it. */
function pinnedTarget(
  job: Job,
  reference: ImageReference,
  platform: Platform,
): ContentDescriptor | undefined {
  if (reference.digest === undefined) return undefined;
  const named = job.images.findName(recordName(reference));
  if (named?.isPulled !== true) return undefined;
  return findCurrent(job, { reference, platform, target: named.target }) ? named.target : undefined;
}

function findCurrent(
  job: Job,
  { reference, target, platform }: Pick<Pull, 'reference' | 'target' | 'platform'>,
): Image | undefined {
  const named = job.images.findName(recordName(reference));
  const image = named?.target.digest === target.digest ? job.images.get(named.imageId) : undefined;
  return image && platformDistance(platform, image.config.platform) === 0 ? image : undefined;
}

/** The job's image of that name, where the registry means the same: from then on the name is one that a registry gave. */
async function confirmCurrent(job: Job, pull: Pull): Promise<Image | undefined> {
  const image = findCurrent(job, pull);
  const named = job.images.findName(recordName(pull.reference));
  if (!image || !named) return undefined;
  if (!named.isPulled) {
    const { tag, digest } = namesOf(pull, image, { target: named.target, members: named.members });
    await job.images.lock.run('names', () => job.images.put(image, [...tag, digest]));
  }
  return image;
}

/** The next pull of it is an adoption. */
async function bringImage(work: ImageWork, pull: Pull): Promise<Image> {
  const { job } = work;
  const pulled = await fetchImage(work, pull);
  await markWhole(work, pull, pulled);
  checkActive(work);
  const { tag, digest } = pulledNames(job, pull, pulled);
  await job.images.lock.run('names', () => job.images.put(pulled.image, [...tag, digest]));
  await Promise.all([
    markPublic(job, pull),
    job.cache.keep({ ...pull.target, name: familiarString(pull.reference) }),
  ]);
  return pulled.image;
}
