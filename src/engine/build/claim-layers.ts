import { isErrorKind } from '../../errors.ts';
import type { ImageLayer } from '../../state/image-store.ts';
import { keepImage, type ImageWork } from '../images/image-work.ts';
import { claimSnapshot } from '../images/unpack-layers.ts';
import type { StageRun } from './stage-run.ts';

/** Thrown where layers of the build cache have been dropped since they were found: to make room, or by another job. */
export class StaleCache extends Error {
  constructor() {
    super('a cached layer is gone');
    this.name = 'StaleCache';
  }
}

/**
 * Keeps the layers of cached steps until the build is over; StaleCache where one is gone. That is done at once for all that
 * were found in a row: containerd takes each claim as a write of its own, and a chain of cached steps needs none in between.
 */
export async function claimFound(stage: StageRun): Promise<void> {
  const layers = stage.unclaimed.splice(0);
  if (layers.length > 0 && !(await claimLayers(stage.run.work, layers))) throw new StaleCache();
}

/** As claimFound, of all that a stage has come to. An image of the job keeps its layers by itself. */
export async function claimResult(stage: StageRun): Promise<void> {
  const { run, image, unclaimed } = stage;
  const known = unclaimed.length > 0 ? run.job.images.get(image.id) : undefined;
  if (known) {
    try {
      await keepImage(run.work, known);
      unclaimed.length = 0;
    } catch (error) {
      // Removed just now.
      if (!isErrorKind(error, 'NotFound')) throw error;
    }
  }
  await claimFound(stage);
}

/** Keeps a chain of layers until the work is done; false where one of them is gone. */
export async function claimLayers(work: ImageWork, layers: readonly ImageLayer[]): Promise<boolean> {
  const { content, leases } = work.store;
  const digests = [...new Set(layers.map(({ blob }) => blob.digest))];
  // The uppermost snapshot keeps those below it.
  const [isThere] = await Promise.all([
    claimSnapshot(work, layers.at(-1)?.chainId ?? ''),
    ...digests.map((id) => leases.addResource(work.leaseId, { id, type: 'content' })),
  ]);
  // A look before the claim would say nothing of what is there after it.
  return (
    isThere && (await content.list(digests.map((digest) => `digest==${digest}`))).length === digests.length
  );
}
