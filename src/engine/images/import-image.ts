import { formatTimeNs } from '../../lib/clock.ts';
import { EngineError } from '../../errors.ts';
import { NO_RUN_CONFIG, type ImageConfig, type ImageRunConfig } from '../../oci/image-config.ts';
import { layerMediaType } from '../../oci/media-types.ts';
import { parsePlatform, type Platform } from '../../oci/platform.ts';
import type { ImageReference } from '../../oci/reference.ts';
import type { ImageProgress } from '../../wire/image-progress.ts';
import type { Job } from '../job.ts';
import { applyChanges } from './apply-changes.ts';
import { addLayer, type NewLayer } from './create-layer.ts';
import { createImage } from './create-image.ts';
import { emitImageEvent } from './emit-image-event.ts';
import { hostPlatform } from './host-platform.ts';
import { withImageWork, writeUnknownBlob, type ImageWork } from './image-work.ts';
import { nameNewImage } from './name-new-image.ts';
import { measureDiffId } from './unpack-layers.ts';

/** What `docker import` asks for. */
export interface ImportRequest {
  /** A tar of the image's files, plain or compressed. */
  readonly tar: AsyncIterable<Uint8Array>;
  /** The name of the image; it may stay without one. */
  readonly reference: ImageReference | undefined;
  readonly message: string;
  /** Instructions of a Dockerfile that say how the image is run. */
  readonly changes: readonly string[];
  /** As typed after `--platform`, or empty. */
  readonly platform: string;
  readonly report: (progress: ImageProgress) => void;
  readonly signal: AbortSignal;
}

const MAX_TAR_BYTES = 64 * 1024 ** 3;

/** `docker import`: makes an image with one layer of a tar. */
export async function importImage(job: Job, request: ImportRequest): Promise<void> {
  const host = hostPlatform(job);
  const platform = request.platform === '' ? host : asWritten(request.platform, host);
  if (platform.os !== 'linux') throw new EngineError('InvalidArgument', 'operating system is not supported');
  const config = applyChanges(NO_RUN_CONFIG, request.changes);
  await withImageWork({ job, report: request.report, signal: request.signal }, async (work) => {
    const layers = await addLayer(work, [], await receiveLayer(work, request.tar));
    const image = await createImage(work, {
      config: describe({ config, platform, message: request.message, nowNs: job.nowNs() }),
      layers,
      parentId: '',
    });
    await nameNewImage(work, image, request.reference);
    emitImageEvent(job, 'import', { image, actorId: image.id, name: image.id });
    work.report({ status: image.id });
  });
}

/** As dockerd: the one variant that can be left out is kept where it was typed. */
function asWritten(text: string, host: Platform): Platform {
  const platform = parsePlatform(text, host);
  return platform.architecture === 'arm64' && /\/v?8$/i.test(text)
    ? { ...platform, variant: 'v8' }
    : platform;
}

async function receiveLayer(work: ImageWork, tar: ImportRequest['tar']): Promise<NewLayer> {
  const { compression, bytes } = await work.job.archives.toStorable(bounded(tar));
  const { digest, size } = await writeUnknownBlob(work, bytes);
  const blob = { mediaType: layerMediaType(compression), digest, size };
  return { blob, diffId: compression === 'none' ? digest : await measureDiffId(work, blob) };
}

async function* bounded(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > MAX_TAR_BYTES)
      throw new EngineError('InvalidArgument', `archive is larger than ${MAX_TAR_BYTES} bytes`);
    yield chunk;
  }
}

function describe(made: {
  readonly config: ImageRunConfig;
  readonly platform: Platform;
  readonly message: string;
  readonly nowNs: bigint;
}): ImageConfig {
  const { config, platform, message: comment } = made;
  const created = formatTimeNs(made.nowNs);
  return {
    platform,
    osVersion: '',
    created,
    author: '',
    comment,
    dockerVersion: '',
    config,
    origin: undefined,
    diffIds: [],
    history: [{ created, createdBy: '', author: '', comment, emptyLayer: false }],
  };
}
