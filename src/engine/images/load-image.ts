import type { Readable } from 'node:stream';
import type { ArchivedImage } from '../../archive/types.ts';
import { EngineError } from '../../errors.ts';
import { shortId } from '../../oci/digest.ts';
import { MAX_IMAGE_CONFIG_BYTES, parseImageConfig } from '../../oci/image-config.ts';
import { parseImageIndex, parseImageManifest } from '../../oci/image-manifest.ts';
import { layerMediaType } from '../../oci/media-types.ts';
import { formatPlatform, parsePlatform, platformDistance, type Platform } from '../../oci/platform.ts';
import { familiarString, parseReference, recordName, type ImageReference } from '../../oci/reference.ts';
import type { Image, NewImageName } from '../../state/image-store.ts';
import type { ImageProgress } from '../../wire/image-progress.ts';
import type { Job } from '../job.ts';
import { chainIdsOf } from './chain-ids.ts';
import { composeManifest } from './compose-manifest.ts';
import { emitImageEvent } from './emit-image-event.ts';
import { keepMembers, positionsOf } from './held-index.ts';
import { hostPlatform } from './host-platform.ts';
import { withImageWork, type ImageWork } from './image-work.ts';
import { createLoadSink, type LoadSink } from './load-sink.ts';
import { checkImageConfig, storeDocuments, type ImageDocuments } from './register-image.ts';
import { createUnpackAhead, type UnpackAhead } from './unpack-ahead.ts';
import { unpackLayers, type UnpackListener } from './unpack-layers.ts';

/** An archive to be loaded. */
export interface LoadRequest {
  readonly tar: Readable;
  /** As typed after `--platform`, or empty: then of several the host's is unpacked, and all are kept. */
  readonly platform: string;
  /** True: only the names of what was loaded are reported. */
  readonly quiet: boolean;
  readonly report: (progress: ImageProgress) => void;
  readonly signal: AbortSignal;
}

interface Candidate {
  readonly archived: ArchivedImage;
  readonly config: Uint8Array;
  readonly names: readonly ImageReference[];
}

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** `docker load`: all images of an archive, each with the names that the archive gives it. */
export async function loadImage(job: Job, request: LoadRequest): Promise<void> {
  await withImageWork({ job, report: request.report, signal: request.signal }, async (work) => {
    const ahead = createUnpackAhead(work, wantedPlatform(job, request), loadListener(work, request));
    const sink = createLoadSink(work, ahead);
    const archived = await readAhead(ahead, job.archives.readImages(request.tar, sink, work.signal));
    const candidates: Candidate[] = [];
    for (const image of archived) candidates.push(await readCandidate(sink, image));
    for (const candidate of chooseCandidates(job, candidates, request.platform))
      await loadOne(work, { sink, candidate, quiet: request.quiet, isAlone: request.platform !== '' });
  });
}

/** What the reading began goes on until it is over, however that ends. */
async function readAhead<T>(ahead: UnpackAhead, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } finally {
    await ahead.end();
  }
}

function wantedPlatform(job: Job, { platform }: Pick<LoadRequest, 'platform'>): Platform {
  const host = hostPlatform(job);
  return platform === '' ? host : parsePlatform(platform, host);
}

function loadListener(work: ImageWork, { quiet }: Pick<LoadRequest, 'quiet'>): UnpackListener {
  return {
    extracting: ({ blob, diffId }) => {
      const progressDetail = { current: blob.size, total: blob.size };
      if (!quiet) work.report({ status: 'Loading layer', progressDetail, id: shortId(diffId) });
    },
    complete: () => undefined,
  };
}

async function readCandidate(sink: LoadSink, archived: ArchivedImage): Promise<Candidate> {
  const config = await sink.read(archived.config, MAX_IMAGE_CONFIG_BYTES);
  return { archived, config, names: archived.names.map(parseName) };
}

function parseName(text: string): ImageReference {
  const reference = parseReference(text);
  if (reference.digest !== undefined)
    throw new EngineError('InvalidArgument', `invalid tag ${JSON.stringify(text)}`);
  return { ...reference, tag: reference.tag ?? 'latest' };
}

// Of several platforms under one name the host's is taken, without it the first; a lone image is taken as it is.
function chooseCandidates(
  job: Job,
  candidates: readonly Candidate[],
  platform: string,
): readonly Candidate[] {
  const wanted = wantedPlatform(job, { platform });
  const distanceOf = ({ config }: Candidate): number =>
    platformDistance(wanted, parseImageConfig(config).platform) ?? Number.POSITIVE_INFINITY;
  const groups = new Map<unknown, Candidate>();
  for (const one of candidates) {
    if (platform !== '' && distanceOf(one) === Number.POSITIVE_INFINITY) continue;
    const { index } = one.archived;
    const key = one.names.map(recordName).join(' ') || (index?.digest ?? one);
    const best = groups.get(key);
    if (!best || distanceOf(one) < distanceOf(best)) groups.set(key, one);
  }
  if (groups.size === 0 && platform !== '')
    throw new EngineError(
      'NotFound',
      `requested platform (${formatPlatform(wanted)}) not found: no image in the archive has it`,
    );
  return [...groups.values()];
}

async function loadOne(
  work: ImageWork,
  source: {
    readonly sink: LoadSink;
    readonly candidate: Candidate;
    readonly quiet: boolean;
    readonly isAlone: boolean;
  },
): Promise<void> {
  const { sink, candidate } = source;
  const documents = await documentsOf(sink, candidate);
  const { layers: blobs } = documents.parsedManifest;
  const config = checkImageConfig(candidate.config, blobs.length);
  const chainIds = chainIdsOf(config.diffIds);
  const pending = blobs.map((blob, index) => ({
    blob,
    diffId: config.diffIds[index] ?? '',
    chainId: chainIds[index] ?? '',
    ready: Promise.resolve(),
  }));
  const layers = await unpackLayers(work, pending, loadListener(work, source));
  const image = await storeDocuments(work, documents, { config, layers });
  await nameImage(work, image, {
    references: candidate.names,
    ...(await keepIndex(work, documents, source)),
  });
}

/** What names of the image are to lead to: its index, which keeps from now on what of it was loaded; else its manifest. */
async function keepIndex(
  work: ImageWork,
  { manifest, index }: ImageDocuments,
  { candidate, isAlone }: { readonly candidate: Candidate; readonly isAlone: boolean },
): Promise<Pick<NewImageName, 'target' | 'members'>> {
  const { mediaType, digest, size } = index ?? manifest;
  const target = { mediaType, digest, size };
  const loaded = candidate.archived.index;
  if (!index || !loaded) return { target };
  const members = isAlone ? [manifest] : loaded.members;
  await keepMembers(work.store, index.digest, members);
  const digests = members.map((member) => member.digest);
  return { target, members: positionsOf(parseImageIndex(index.bytes, mediaType), digests) };
}

async function documentsOf(sink: LoadSink, candidate: Candidate): Promise<ImageDocuments> {
  const { archived, config } = candidate;
  const manifest = archived.manifest
    ? { ...archived.manifest, bytes: await sink.read(archived.manifest, MAX_MANIFEST_BYTES) }
    : composeManifest(
        archived.config,
        archived.layers.map(({ digest, size }) => ({
          mediaType: layerMediaType(sink.compressionOf(digest)),
          digest,
          size,
        })),
      );
  const parsedManifest = parseImageManifest(manifest.bytes, manifest.mediaType);
  const index = archived.index && {
    ...archived.index,
    bytes: await sink.read(archived.index, MAX_MANIFEST_BYTES),
  };
  return { config: { ...parsedManifest.config, bytes: config }, manifest, parsedManifest, index };
}

async function nameImage(
  work: ImageWork,
  image: Image,
  named: Pick<NewImageName, 'target' | 'members'> & { readonly references: readonly ImageReference[] },
): Promise<void> {
  const { job, report } = work;
  const { references, ...leadsTo } = named;
  const names = references.map((reference) => ({
    ...leadsTo,
    name: recordName(reference),
    kind: 'tag' as const,
    imageId: image.id,
  }));
  await job.images.lock.run('names', async () => {
    for (const reference of references) reportMoved(work, image, reference);
    await job.images.put(image, names);
  });
  emitImageEvent(job, 'load', { image, actorId: image.id, name: image.id });
  for (const reference of references) report({ stream: `Loaded image: ${familiarString(reference)}\n` });
  if (references.length === 0) report({ stream: `Loaded image ID: ${image.id}\n` });
}

function reportMoved({ job, report }: ImageWork, image: Image, reference: ImageReference): void {
  const before = job.images.findName(recordName(reference));
  if (before === undefined || before.imageId === image.id) return;
  report({
    stream:
      `The image ${familiarString(reference)} already exists, renaming the old one with ID ` +
      `${before.imageId} to empty string\n`,
  });
}
