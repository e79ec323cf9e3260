import type { Image } from '../../state/image-store.ts';
import type { Job } from '../job.ts';
import { configLabels } from './gc-labels.ts';
import { resolveForPlatform } from './held-index.ts';
import { keepImage, withImageWork, type ImageWork } from './image-work.ts';
import { unpackLayers } from './unpack-layers.ts';

/**
 * As resolveForPlatform, and unpacked, so that a container can be made of it: of the images that an index holds, only one
 * is unpacked when they come. It is an image of the job's own from then on, without a name.
 */
export async function openForPlatform(job: Job, imageRef: string, platform: string): Promise<Image> {
  const image = await resolveForPlatform(job, imageRef, platform);
  if (job.images.get(image.id)) return image;
  return withImageWork({ job, report: () => undefined, signal: job.signal }, async (work) => {
    const opened = await unpackVariant(work, image);
    await job.images.lock.run('names', () => job.images.put(opened, []));
    return opened;
  });
}

/** Unpacks an image that is known by its documents alone; the lease of the work keeps it. */
export async function unpackVariant(work: ImageWork, image: Image): Promise<Image> {
  await keepImage(work, image);
  const ready = Promise.resolve();
  const layers = await unpackLayers(
    work,
    image.layers.map(({ blob, diffId, chainId }) => ({ blob, diffId, chainId, ready })),
    { extracting: () => undefined, complete: () => undefined },
  );
  await work.store.content.updateLabels(
    image.id,
    configLabels(image.chainId, work.store.snapshots.snapshotter),
  );
  return { ...image, layers };
}
