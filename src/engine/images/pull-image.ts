import { EngineError } from '../../errors.ts';
import { shortId } from '../../oci/digest.ts';
import { MAX_IMAGE_CONFIG_BYTES } from '../../oci/image-config.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import { formatPlatform, parsePlatform, platformDistance, type Platform } from '../../oci/platform.ts';
import {
  familiarName,
  familiarString,
  recordName,
  repositoryName,
  withDefaultTag,
  type ImageReference,
} from '../../oci/reference.ts';
import type { RegistryCredentials, Repository } from '../../registry/types.ts';
import type { Image, NewImageName } from '../../state/image-store.ts';
import type { ImageProgress } from '../../wire/image-progress.ts';
import type { Job } from '../job.ts';
import { chainIdsOf } from './chain-ids.ts';
import { downloadLayers } from './download-layers.ts';
import { emitImageEvent } from './emit-image-event.ts';
import { hostPlatform } from './host-platform.ts';
import { withImageWork, type ImageWork } from './image-work.ts';
import { checkImageConfig, storeDocuments } from './register-image.ts';
import { selectManifest, type SelectedManifest } from './select-manifest.ts';
import { claimSnapshot, unpackLayers, type PendingLayer } from './unpack-layers.ts';

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

interface Pull {
  readonly reference: ImageReference;
  readonly platform: Platform;
  readonly isPlatformAsked: boolean;
  readonly repository: Repository;
  /** What the registry says that the reference names now. */
  readonly target: ContentDescriptor;
}

/** `docker pull`: the registry is asked each time; only what the job does not have is fetched. */
export async function pullImage(job: Job, request: PullRequest): Promise<void> {
  const reference = withDefaultTag(request.reference);
  const host = hostPlatform(job);
  const platform = request.platform === '' ? host : parsePlatform(request.platform, host);
  const repository = job.registry.open({
    reference,
    familiarName: familiarName(reference),
    ...(request.credentials ? { credentials: request.credentials } : {}),
    signal: AbortSignal.any([request.signal, job.signal]),
  });
  const selector = reference.digest ?? reference.tag ?? 'latest';
  const target = await repository.resolve(selector);
  const pull = { reference, platform, isPlatformAsked: request.platform !== '', repository, target };
  request.report({ status: `Pulling from ${reference.path}`, id: selector });
  const before = job.images.findName(recordName(reference))?.imageId;
  const image =
    findCurrent(job, pull) ??
    (await withImageWork({ job, report: request.report, signal: request.signal }, (work) =>
      fetchImage(work, pull),
    ));
  const shown = familiarString(reference);
  request.report({ status: `Digest: ${target.digest}` });
  request.report({
    status: `Status: ${before === image.id ? 'Image is up to date' : 'Downloaded newer image'} for ${shown}`,
  });
  emitImageEvent(job, 'pull', { image, actorId: shown, name: familiarName(reference) });
}

function findCurrent(job: Job, { reference, target, platform }: Pull): Image | undefined {
  const named = job.images.findName(recordName(reference));
  const image = named?.target.digest === target.digest ? job.images.get(named.imageId) : undefined;
  return image && platformDistance(platform, image.config.platform) === 0 ? image : undefined;
}

async function fetchImage(work: ImageWork, pull: Pull): Promise<Image> {
  const { reference, repository, target, platform } = pull;
  const selected = await selectManifest(work, repository, {
    target,
    platform,
    familiarName: familiarName(reference),
  });
  const config = await fetchConfig(repository, selected.parsed.config);
  const image = await fetchLayers(work, pull, { selected, config });
  const names = namesFor(pull, selected, image);
  await work.job.images.lock.run('names', () => work.job.images.put(image, names));
  return image;
}

async function fetchConfig(repository: Repository, descriptor: ContentDescriptor): Promise<Uint8Array> {
  if (descriptor.size > MAX_IMAGE_CONFIG_BYTES)
    throw new EngineError('InvalidArgument', 'invalid image config: too large');
  const chunks: Uint8Array[] = [];
  for await (const chunk of repository.fetchBlob(descriptor)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function fetchLayers(
  work: ImageWork,
  pull: Pull,
  source: { readonly selected: SelectedManifest; readonly config: Uint8Array },
): Promise<Image> {
  const { parsed, manifest, index } = source.selected;
  const config = checkImageConfig(source.config, parsed.layers.length);
  checkPlatform(pull, config.platform);
  const present = await announceLayers(work, parsed.layers, chainIdsOf(config.diffIds));
  const quiet = { ...work, report: reportOnlyOf(work, present) };
  const downloads = downloadLayers(quiet, pull.repository, parsed.layers);
  try {
    const layers = await unpackLayers(quiet, pendingLayers(parsed.layers, config.diffIds, downloads.ready), {
      extracting: ({ blob }) => {
        quiet.report({
          status: 'Extracting',
          progressDetail: { current: blob.size, total: blob.size },
          id: shortId(blob.digest),
        });
      },
      complete: ({ blob }) => {
        quiet.report({ status: 'Pull complete', progressDetail: {}, id: shortId(blob.digest) });
      },
    });
    const documents = {
      config: { ...parsed.config, bytes: source.config },
      manifest,
      parsedManifest: parsed,
      index,
    };
    return await storeDocuments(work, documents, { config, layers });
  } finally {
    downloads.stop();
    await downloads.ended;
  }
}

function pendingLayers(
  blobs: readonly ContentDescriptor[],
  diffIds: readonly string[],
  ready: readonly Promise<void>[],
): readonly PendingLayer[] {
  const chainIds = chainIdsOf(diffIds);
  return blobs.map((blob, index) => ({
    blob,
    diffId: diffIds[index] ?? '',
    chainId: chainIds[index] ?? '',
    ready: ready[index] ?? Promise.resolve(),
  }));
}

/** Says of every layer whether it is here already; answers the short ids of those that are. */
async function announceLayers(
  work: ImageWork,
  blobs: readonly ContentDescriptor[],
  chainIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const present = new Set<string>();
  for (const [index, blob] of blobs.entries()) {
    const id = shortId(blob.digest);
    const isPresent =
      (await claimSnapshot(work, chainIds[index] ?? '')) && (await hasContent(work, blob.digest));
    if (isPresent) present.add(id);
    work.report({ status: isPresent ? 'Already exists' : 'Pulling fs layer', progressDetail: {}, id });
  }
  return present;
}

async function hasContent(work: ImageWork, digest: string): Promise<boolean> {
  const known = await work.containerd.content.list([`digest==${digest}`]);
  return known.length > 0;
}

function reportOnlyOf(work: ImageWork, present: ReadonlySet<string>): ImageWork['report'] {
  return (progress) => {
    if (progress.id === undefined || !present.has(progress.id)) work.report(progress);
  };
}

function checkPlatform({ isPlatformAsked, platform, reference }: Pull, actual: Platform): void {
  if (!isPlatformAsked || platformDistance(platform, actual) !== undefined) return;
  throw new EngineError(
    'NotFound',
    `image with reference ${familiarString(reference)} was found but does not match the specified platform: ` +
      `wanted ${formatPlatform(platform)}, actual: ${formatPlatform(actual)}`,
  );
}

// A pull by tag gives the image a second name, by digest: it stays when the tag moves on.
function namesFor(
  { reference, target }: Pull,
  selected: SelectedManifest,
  image: Image,
): readonly NewImageName[] {
  const { mediaType, digest, size } = selected.index ?? selected.manifest;
  const shared = { imageId: image.id, target: { mediaType, digest, size } };
  const byDigest = `${repositoryName(reference)}@${target.digest}`;
  return reference.digest === undefined
    ? [
        { ...shared, name: recordName(reference), kind: 'tag' },
        { ...shared, name: byDigest, kind: 'digest' },
      ]
    : [{ ...shared, name: byDigest, kind: 'digest' }];
}
