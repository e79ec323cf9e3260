import type { JobStore } from '../../containerd/job-store.ts';
import type { ContainerdImage } from '../../containerd/types.ts';
import { EngineError, messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { ImageStore } from '../../state/image-store.ts';
import { readStoredImage } from './read-stored-image.ts';

/** What the images of an earlier process are found with. */
export interface RestoreParts {
  readonly store: JobStore;
  readonly images: ImageStore;
  readonly log: Logger;
}

/** Fills the store from containerd's records, at the start of a job that an earlier process has served. */
export async function restoreImages(parts: RestoreParts): Promise<void> {
  for (const [digest, records] of await parts.images.readRecords()) await restoreOne(parts, digest, records);
}

// A record whose image is not whole (a crash came between two steps of its removal) leads to nothing: it goes.
async function restoreOne(
  parts: RestoreParts,
  digest: string,
  records: readonly ContainerdImage[],
): Promise<void> {
  try {
    const snapshots = parts.store.snapshots;
    const image = await readStoredImage(
      parts.store,
      digest,
      async ({ chainId }) => (await snapshots.usage(chainId)).sizeBytes,
    );
    parts.images.restore(image, records);
  } catch (error) {
    if (!(error instanceof EngineError) || (error.kind !== 'NotFound' && error.kind !== 'InvalidArgument'))
      throw error;
    parts.log.warn({ manifest: digest, err: messageOf(error) }, 'dropping records of an incomplete image');
    await parts.images.dropRecords(records);
  }
}
