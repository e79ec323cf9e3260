import type { ContentInfo } from '../../containerd/types.ts';
import { EngineError, isErrorKind, messageOf } from '../../errors.ts';
import { createRandomId } from '../../lib/random-id.ts';
import { shortId } from '../../oci/digest.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import type { ImageLayer } from '../../state/image-store.ts';
import { SNAPSHOTTER } from '../snapshotter.ts';
import { withinUnpackLimit } from './unpack-limit.ts';
import { collectGarbage } from './collect-garbage.ts';
import { checkActive, toDescriptor, type ImageWork } from './image-work.ts';

// containerd's own name for the diff id of a layer blob.
const UNCOMPRESSED_LABEL = 'containerd.io/uncompressed';

/** A layer to be unpacked once its blob is there. */
export interface PendingLayer {
  readonly blob: ContentDescriptor;
  readonly diffId: string;
  readonly chainId: string;
  /** Resolves when the blob is in the content store. */
  readonly ready: Promise<void>;
}

/** A layer whose blob is there, with the name of the snapshot below it; empty for the lowest. */
export type BelowLayer = Omit<PendingLayer, 'ready'> & { readonly below: string };

/** Told before a layer is really unpacked, and when its snapshot is there. */
export interface UnpackListener {
  readonly extracting: (layer: Pick<PendingLayer, 'blob' | 'diffId'>) => void;
  readonly complete: (layer: PendingLayer) => void;
}

/** Makes the committed snapshot of every layer, lowest first, as their blobs arrive. */
export async function unpackLayers(
  work: ImageWork,
  layers: readonly PendingLayer[],
  listener: UnpackListener,
): Promise<readonly ImageLayer[]> {
  const unpacked: ImageLayer[] = [];
  let parent = '';
  for (const layer of layers) {
    await layer.ready;
    checkActive(work);
    unpacked.push(await unpackLayerOn(work, { ...layer, below: parent }, listener));
    listener.complete(layer);
    parent = layer.chainId;
  }
  return unpacked;
}

/** Makes the committed snapshot of one layer whose blob is there, on that of the layers below. */
export async function unpackLayerOn(
  work: ImageWork,
  layer: BelowLayer,
  listener: Pick<UnpackListener, 'extracting'>,
): Promise<ImageLayer> {
  const { blob, diffId, chainId } = layer;
  // Two pulls of one job that share layers must not unpack them twice.
  await work.job.images.lock.run(`layer ${chainId}`, () => unpackLayer(work, layer, listener));
  const { sizeBytes } = await work.store.snapshots(SNAPSHOTTER).usage(chainId);
  return { blob: toDescriptor(blob), diffId, chainId, sizeBytes };
}

/** True when the snapshot exists; it is then kept by the lease of the work. */
export async function claimSnapshot(work: ImageWork, chainId: string): Promise<boolean> {
  // The lease first: between a look and a claim it could be collected.
  await work.store.leases.addResource(work.leaseId, { id: chainId, type: `snapshots/${SNAPSHOTTER}` });
  try {
    await work.store.snapshots(SNAPSHOTTER).stat(chainId);
    return true;
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return false;
    throw error;
  }
}

/**
 * True where the blob is known to unpack to this diff id. That its snapshot exists says nothing of a blob that only claims
 * to be this layer: it has to have been unpacked once itself.
 */
export function isUnpackedAs({ digest, labels }: ContentInfo, diffId: string): boolean {
  return digest === diffId || labels[UNCOMPRESSED_LABEL] === diffId;
}

async function unpackLayer(
  work: ImageWork,
  layer: BelowLayer,
  listener: Pick<UnpackListener, 'extracting'>,
): Promise<void> {
  const isThere = await claimSnapshot(work, layer.chainId);
  if (isThere && isUnpackedAs(await work.store.content.info(layer.blob.digest), layer.diffId)) return;
  listener.extracting(layer);
  if (await applyLayer(work, layer)) return;
  // The name is taken though no snapshot has it: what an earlier life of this namespace left is not collected yet.
  await collectGarbage(work.store);
  if (!(await applyLayer(work, layer)))
    throw new EngineError('Conflict', `failed to register layer: ${layer.chainId} cannot be committed`);
}

/** False where the snapshot's name is taken and nevertheless leads to nothing. */
async function applyLayer(work: ImageWork, layer: BelowLayer): Promise<boolean> {
  const snapshots = work.store.snapshots(SNAPSHOTTER);
  const key = `unpack-${createRandomId()}`;
  const mounts = await snapshots.prepare({ key, parent: layer.below });
  try {
    const applied = await withinUnpackLimit(work, { key, blob: layer.blob }, (signal) =>
      work.store.diff.apply(toDescriptor(layer.blob), mounts, signal),
    );
    if (applied.digest !== layer.diffId)
      throw new EngineError(
        'InvalidArgument',
        `failed to register layer: layer ${shortId(layer.blob.digest)} has diff id ${applied.digest}, should be ${layer.diffId}`,
      );
    await work.store.content.updateLabels(layer.blob.digest, { [UNCOMPRESSED_LABEL]: layer.diffId });
    await snapshots.commit({ name: layer.chainId, key });
    return true;
  } catch (error) {
    await snapshots.remove(key).catch((cause: unknown) => {
      work.job.log.warn({ err: messageOf(cause) }, 'unpacking snapshot not removed');
    });
    if (!isErrorKind(error, 'Conflict')) throw error;
    return claimSnapshot(work, layer.chainId);
  }
}

/** The diff id of a compressed layer of which nobody has said what is in it. */
export async function measureDiffId(work: ImageWork, blob: ContentDescriptor): Promise<string> {
  const snapshots = work.store.snapshots(SNAPSHOTTER);
  const key = `measure-${createRandomId()}`;
  const mounts = await snapshots.prepare({ key, parent: '' });
  try {
    return (await work.store.diff.apply(toDescriptor(blob), mounts)).digest;
  } finally {
    await snapshots.remove(key);
  }
}
