import { isErrorKind } from '../../errors.ts';
import type { ImageLayer } from '../../state/image-store.ts';
import { createImage } from '../images/create-image.ts';
import { keepImage, type ImageWork } from '../images/image-work.ts';
import { hasSnapshot } from '../images/unpack-place.ts';
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
  if (unclaimed.length > 0 && stage.index === run.plan.target.index) await claimByImage(stage);
  else await claimFound(stage);
}

/**
 * Writes the documents of what the build has come to, which have to be written anyway and which keep all layers under its
 * lease: two writes, and not one for each cached layer.
 */
async function claimByImage(stage: StageRun): Promise<void> {
  const { run, image } = stage;
  const layers = stage.unclaimed.splice(0);
  const stored = await createImage(run.work, { config: image.config, layers: image.layers, parentId: '' });
  if (!(await areThere(run.work, layers))) throw new StaleCache();
  stage.image = { ...image, stored };
}

/** Keeps a chain of layers until the work is done; false where one of them is gone. */
export async function claimLayers(work: ImageWork, layers: readonly ImageLayer[]): Promise<boolean> {
  const { leases, snapshots } = work.store;
  await Promise.all([
    leases.addResource(work.leaseId, {
      id: topOf(layers),
      type: `snapshots/${snapshots.snapshotter}`,
    }),
    ...digestsOf(layers).map((id) => leases.addResource(work.leaseId, { id, type: 'content' })),
  ]);
  return areThere(work, layers);
}

/** To be asked after the claim: a look before it would say nothing of what is there then. */
async function areThere(work: ImageWork, layers: readonly ImageLayer[]): Promise<boolean> {
  const digests = digestsOf(layers);
  const [isUnpacked, found] = await Promise.all([
    hasSnapshot(work.store, topOf(layers)),
    work.store.content.list(digests.map((digest) => `digest==${digest}`)),
  ]);
  return isUnpacked && found.length === digests.length;
}

// The uppermost snapshot keeps those below it.
function topOf(layers: readonly ImageLayer[]): string {
  return layers.at(-1)?.chainId ?? '';
}

function digestsOf(layers: readonly ImageLayer[]): readonly string[] {
  return [...new Set(layers.map(({ blob }) => blob.digest))];
}
