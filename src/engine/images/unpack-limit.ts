import { setTimeout as sleep } from 'node:timers/promises';
import type { Descriptor } from '../../containerd/types.ts';
import { EngineError, isErrorKind } from '../../errors.ts';
import { shortId } from '../../oci/digest.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import { SNAPSHOTTER } from '../snapshotter.ts';
import type { ImageWork } from './image-work.ts';
import { layersSize } from './layers-size.ts';

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
  const { blob, key } = target;
  const { layerBytes, imageBytes } = work.job.settings.limits;
  const leftBytes = imageBytes - layersSize(work.job) - work.unpacked.bytes;
  const limit = Math.min(leftBytes, unpackLimit(blob.size, layerBytes));
  const tooLarge = new AbortController();
  const over = new AbortController();
  const watching = watch(work, { key, limit, over: over.signal }).then((isOver) => {
    if (isOver) tooLarge.abort();
  });
  try {
    const unpacked = await unpack(AbortSignal.any([work.signal, tooLarge.signal]));
    if (unpacked.size > limit) tooLarge.abort();
    tooLarge.signal.throwIfAborted();
    return unpacked;
  } catch (error) {
    if (!tooLarge.signal.aborted) throw error;
    const why =
      limit === leftBytes
        ? `images of this job may take ${imageBytes} bytes, [limits] image_bytes`
        : `layer ${shortId(blob.digest)} unpacks to more than ${limit} bytes`;
    throw new EngineError('InvalidArgument', `failed to register layer: ${why}`, { cause: error });
  } finally {
    over.abort();
    await watching;
  }
}

/** True once the snapshot is over the limit; false when the unpacking is over first. */
async function watch(
  work: ImageWork,
  { key, limit, over }: { readonly key: string; readonly limit: number; readonly over: AbortSignal },
): Promise<boolean> {
  const snapshots = work.store.snapshots(SNAPSHOTTER);
  while (await isStillOn(over)) {
    try {
      if ((await snapshots.usage(key)).sizeBytes > limit) return true;
    } catch (error) {
      // Files come and go under the count.
      if (isErrorKind(error, 'Cancelled')) return false;
    }
  }
  return false;
}

async function isStillOn(over: AbortSignal): Promise<boolean> {
  try {
    await sleep(LOOK_MS, undefined, { signal: over });
    return true;
  } catch {
    return false;
  }
}
