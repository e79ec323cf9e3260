import type { ContentInfo } from '../../containerd/types.ts';
import { EngineError, isErrorKind, messageOf } from '../../errors.ts';
import { createRandomId } from '../../lib/random-id.ts';
import { shortId } from '../../oci/digest.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import type { ImageLayer } from '../../state/image-store.ts';
import { hasSnapshot, openPlace, type UnpackPlace } from './unpack-place.ts';
import { claimRoom, withinUnpackLimit } from './unpack-limit.ts';
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
  const measured: Promise<ImageLayer>[] = [];
  let parent = '';
  for (const layer of layers) {
    await layer.ready;
    checkActive(work);
    await makeSnapshot(work, { ...layer, below: parent }, listener);
    listener.complete(layer);
    const measuring = measureLayer(work, layer);
    // Until it is asked for below, which it is not where a later layer fails.
    measuring.catch(() => undefined);
    measured.push(measuring);
    parent = layer.chainId;
  }
  const unpacked = await Promise.all(measured);
  claimRoom(work, unpacked);
  return unpacked;
}

/** Makes the committed snapshot of one layer whose blob is there, on that of the layers below. */
export async function unpackLayerOn(
  work: ImageWork,
  layer: BelowLayer,
  listener: Pick<UnpackListener, 'extracting'>,
): Promise<ImageLayer> {
  await makeSnapshot(work, layer, listener);
  const measured = await measureLayer(work, layer);
  claimRoom(work, [measured]);
  return measured;
}

async function measureLayer(
  { store }: ImageWork,
  { blob, diffId, chainId }: Omit<PendingLayer, 'ready'>,
): Promise<ImageLayer> {
  const { sizeBytes } = await store.snapshots.usage(chainId);
  return { blob: toDescriptor(blob), diffId, chainId, sizeBytes };
}

// Two pulls of one job that share layers must not unpack them twice.
function makeSnapshot(
  work: ImageWork,
  layer: BelowLayer,
  listener: Pick<UnpackListener, 'extracting'>,
): Promise<void> {
  return work.job.images.lock.run(`layer ${layer.chainId}`, () => unpackLayer(work, layer, listener));
}

/** True when the snapshot exists; it is then kept by the lease of the work. */
export async function claimSnapshot(work: ImageWork, chainId: string): Promise<boolean> {
  if (!(await hasSnapshot(work.store, chainId))) return false;
  // Once more under the lease: between a look and a claim it could have been collected.
  const { leases, snapshots } = work.store;
  await leases.addResource(work.leaseId, { id: chainId, type: `snapshots/${snapshots.snapshotter}` });
  return hasSnapshot(work.store, chainId);
}

/**
 * True where the blob is known to unpack to this diff id. That its snapshot exists says nothing of a blob that only claims
 * to be this layer: it has to have been unpacked once itself.
 */
function isUnpackedAs({ digest, labels }: ContentInfo, diffId: string): boolean {
  return digest === diffId || labels[UNCOMPRESSED_LABEL] === diffId;
}

async function unpackLayer(
  work: ImageWork,
  layer: BelowLayer,
  listener: Pick<UnpackListener, 'extracting'>,
): Promise<void> {
  let isAnnounced = false;
  let failures = 0;
  for (;;) {
    const isThere = await claimSnapshot(work, layer.chainId);
    if (isThere && (await isKnown(work, layer))) return;
    if (!isAnnounced) listener.extracting(layer);
    isAnnounced = true;
    const place = await openPlace(work, layer, isThere ? {} : { unless: layer.chainId });
    if (!place) continue;
    if (await applyLayer(work, layer, place)) return;
    // The name is taken though no snapshot has it: what an earlier life of this namespace left is not collected yet.
    failures += 1;
    if (failures > 1)
      throw new EngineError('Conflict', `failed to register layer: ${layer.chainId} cannot be committed`);
    await collectGarbage(work.store);
  }
}

/** True when the snapshot exists and is known to be what this blob unpacks to; it is then kept by the lease of the work. */
export async function isUnpacked(work: ImageWork, layer: Omit<PendingLayer, 'ready'>): Promise<boolean> {
  return (await claimSnapshot(work, layer.chainId)) && isKnown(work, layer);
}

async function isKnown(work: ImageWork, { blob, diffId }: Omit<PendingLayer, 'ready'>): Promise<boolean> {
  return isUnpackedAs(await work.store.content.info(blob.digest), diffId);
}

/**
 * The snapshot is there then, and kept by the lease of the work, as containerd does with what is committed under one; false
 * where its name is taken and nevertheless leads to nothing.
 */
async function applyLayer(
  work: ImageWork,
  layer: BelowLayer,
  { key, mounts }: UnpackPlace,
): Promise<boolean> {
  const { blob, diffId, chainId } = layer;
  const snapshots = work.store.snapshots;
  try {
    const applied = await withinUnpackLimit(work, { key, blob }, (signal) =>
      work.store.diff.apply(toDescriptor(blob), mounts, signal),
    );
    work.unpacked.add(chainId);
    work.job.images.unpacking.set(chainId, applied.size);
    if (applied.digest !== diffId)
      throw new EngineError(
        'InvalidArgument',
        `failed to register layer: layer ${shortId(blob.digest)} has diff id ${applied.digest}, should be ${diffId}`,
      );
    // Not at the same time: who finds the snapshot without the word of its blob unpacks it once more.
    if (blob.digest !== diffId)
      await work.store.content.updateLabels(blob.digest, { [UNCOMPRESSED_LABEL]: diffId });
    await snapshots.commit({ name: chainId, key });
    return true;
  } catch (error) {
    await snapshots.remove(key).catch((cause: unknown) => {
      work.job.log.warn({ err: messageOf(cause) }, 'unpacking snapshot not removed');
    });
    if (!isErrorKind(error, 'Conflict')) throw error;
    // What somebody else has committed meanwhile is from the same bytes: this blob has shown that just now.
    return claimSnapshot(work, chainId);
  }
}

/** The diff id of a compressed layer of which nobody has said what is in it. */
export async function measureDiffId(work: ImageWork, blob: ContentDescriptor): Promise<string> {
  const snapshots = work.store.snapshots;
  const key = `measure-${createRandomId()}`;
  const mounts = await snapshots.prepare({ key, parent: '' });
  try {
    const measured = await withinUnpackLimit(work, { key, blob }, (signal) =>
      work.store.diff.apply(toDescriptor(blob), mounts, signal),
    );
    return measured.digest;
  } finally {
    await snapshots.remove(key);
  }
}
