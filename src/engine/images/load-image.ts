import type { Readable } from 'node:stream';
import type { ArchivedImage } from '../../archive/types.ts';
import { EngineError } from '../../errors.ts';
import { shortId } from '../../oci/digest.ts';
import { MAX_IMAGE_CONFIG_BYTES, parseImageConfig } from '../../oci/image-config.ts';
import { parseImageManifest } from '../../oci/image-manifest.ts';
import { layerMediaType } from '../../oci/media-types.ts';
import { platformDistance } from '../../oci/platform.ts';
import { familiarString, parseReference, recordName, type ImageReference } from '../../oci/reference.ts';
import type { Image } from '../../state/image-store.ts';
import type { ImageProgress } from '../../wire/image-progress.ts';
import type { Job } from '../job.ts';
import { chainIdsOf } from './chain-ids.ts';
import { composeManifest } from './compose-manifest.ts';
import { emitImageEvent } from './emit-image-event.ts';
import { hostPlatform } from './host-platform.ts';
import { withImageWork, type ImageWork } from './image-work.ts';
import { createLoadSink, type LoadSink } from './load-sink.ts';
import { checkImageConfig, storeDocuments, type ImageDocuments } from './register-image.ts';
import { unpackLayers } from './unpack-layers.ts';

/** An archive to be loaded. */
export interface LoadRequest {
  readonly tar: Readable;
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
    const sink = createLoadSink(work);
    const archived = await job.archives.readImages(request.tar, sink, work.signal);
    const candidates: Candidate[] = [];
    for (const image of archived) candidates.push(await readCandidate(sink, image));
    for (const candidate of chooseForHost(job, candidates))
      await loadOne(work, { sink, candidate, quiet: request.quiet });
  });
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

// Of an archive with several platforms under one name the host's is taken; a lone image is taken as it is.
function chooseForHost(job: Job, candidates: readonly Candidate[]): readonly Candidate[] {
  const host = hostPlatform(job);
  const fits = ({ config }: Candidate): boolean =>
    platformDistance(host, parseImageConfig(config).platform) !== undefined;
  const key = ({ names }: Candidate): string => names.map(recordName).join(' ');
  const fitting = new Set(candidates.filter(fits).map(key));
  return candidates.filter((one) => one.names.length === 0 || fits(one) || !fitting.has(key(one)));
}

async function loadOne(
  work: ImageWork,
  source: { readonly sink: LoadSink; readonly candidate: Candidate; readonly quiet: boolean },
): Promise<void> {
  const { sink, candidate, quiet } = source;
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
  const layers = await unpackLayers(work, pending, {
    extracting: ({ blob, diffId }) => {
      const progressDetail = { current: blob.size, total: blob.size };
      if (!quiet) work.report({ status: 'Loading layer', progressDetail, id: shortId(diffId) });
    },
    complete: () => undefined,
  });
  await nameImage(work, await storeDocuments(work, documents, { config, layers }), candidate.names);
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
  return { config: { ...parsedManifest.config, bytes: config }, manifest, parsedManifest, index: undefined };
}

async function nameImage(
  work: ImageWork,
  image: Image,
  references: readonly ImageReference[],
): Promise<void> {
  const { job, report } = work;
  const names = references.map((reference) => ({
    name: recordName(reference),
    kind: 'tag' as const,
    imageId: image.id,
    target: image.manifest,
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
