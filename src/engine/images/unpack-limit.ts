import { setTimeout as sleep } from 'node:timers/promises';
import type { Descriptor } from '../../containerd/types.ts';
import { EngineError, isErrorKind } from '../../errors.ts';
import { shortId } from '../../oci/digest.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import type { ImageLayer } from '../../state/image-store.ts';
import type { ImageWork } from './image-work.ts';
import type { Job } from '../job.ts';
import { takenBytes } from './layers-size.ts';

/** What a layer may always unpack to. */
const SMALL_BYTES = 1024 ** 3;
/** How much larger than its blob a layer may get beyond that: what is not made to fill a disk stays well below. */
const MAX_RATIO = 250;
const LOOK_MS = 500;

/** The most bytes that a blob of this size may unpack to, whatever the job's own limit is. */
export function unpackLimit(blobBytes: number, maxLayerBytes: number): number {
  return Math.min(maxLayerBytes, Math.max(SMALL_BYTES, blobBytes * MAX_RATIO));
}

/** Unpacks into a snapshot; ends it, with InvalidArgument, when that takes more room than its blob can mean well. */
export async function withinUnpackLimit(
  work: ImageWork,
  target: { readonly key: string; readonly blob: ContentDescriptor },
  unpack: (signal: AbortSignal) => Promise<Descriptor>,
): Promise<Descriptor> {
  const { unpacking } = work.job.images;
  const tooLarge = new AbortController();
  const over = new AbortController();
  const look = (sizeBytes: number): void => {
    unpacking.set(target.key, sizeBytes);
    const excess = excessOf(work.job, target.blob, sizeBytes);
    if (excess !== undefined) tooLarge.abort(excess);
  };
  const watching = watch(work, {
    key: target.key,
    over: AbortSignal.any([over.signal, tooLarge.signal]),
    look,
  });
  try {
    const unpacked = await unpack(AbortSignal.any([work.signal, tooLarge.signal]));
    look(unpacked.size);
    tooLarge.signal.throwIfAborted();
    return unpacked;
  } catch (error) {
    if (!tooLarge.signal.aborted) throw inDockersWords(error);
    const why = String(tooLarge.signal.reason);
    throw new EngineError('InvalidArgument', `failed to register layer: ${why}`, { cause: error });
  } finally {
    over.abort();
    await watching;
    unpacking.delete(target.key);
  }
}

/** containerd says where it had the snapshot mounted, which is no client's business; dockerd says who read the tar. */
function inDockersWords(error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const why = /^mount callback failed on [^:]*: (.*)$/s.exec(error.message)?.[1];
  if (why === undefined) return error;
  return new EngineError(error.kind, `Error processing tar file(exit status 1): ${why}`, { cause: error });
}

/**
 * Counts layers that are unpacked, by whomever, as the job's from now on until the work is over; InvalidArgument where its
 * images take more than they may with them.
 */
export function claimRoom(
  { job, unpacked }: Pick<ImageWork, 'job' | 'unpacked'>,
  layers: readonly Pick<ImageLayer, 'chainId' | 'sizeBytes'>[],
): void {
  for (const { chainId, sizeBytes } of layers) {
    unpacked.add(chainId);
    job.images.unpacking.set(chainId, sizeBytes);
  }
  const excess = excessOfImages(job);
  if (excess !== undefined) throw new EngineError('InvalidArgument', `failed to register layer: ${excess}`);
}

/** What is exceeded by a blob that has unpacked to so many bytes: its own limit, or that of all images of the job. */
function excessOf(job: Job, blob: ContentDescriptor, sizeBytes: number): string | undefined {
  const limit = unpackLimit(blob.size, job.settings.limits.layerBytes);
  if (sizeBytes > limit) return `layer ${shortId(blob.digest)} unpacks to more than ${limit} bytes`;
  return excessOfImages(job);
}

function excessOfImages(job: Job): string | undefined {
  const { imageBytes } = job.settings.limits;
  if (takenBytes(job) <= imageBytes) return undefined;
  return `images of this job may take ${imageBytes} bytes, [limits] image_bytes`;
}

/** Looks at the size of the snapshot until it is over. */
async function watch(
  work: ImageWork,
  target: {
    readonly key: string;
    readonly over: AbortSignal;
    readonly look: (sizeBytes: number) => void;
  },
): Promise<void> {
  const snapshots = work.store.snapshots;
  while (await isStillOn(target.over)) {
    try {
      target.look((await snapshots.usage(target.key)).sizeBytes);
    } catch (error) {
      // Files come and go under the count.
      if (isErrorKind(error, 'Cancelled')) return;
    }
  }
}

async function isStillOn(over: AbortSignal): Promise<boolean> {
  try {
    await sleep(LOOK_MS, undefined, { signal: over });
    return true;
  } catch {
    return false;
  }
}
