import type { Mount } from '../../containerd/types.ts';
import { EngineError, isErrorKind } from '../../errors.ts';
import { layerMediaType } from '../../oci/media-types.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import type { ImageLayer } from '../../state/image-store.ts';
import { chainIdsOf } from './chain-ids.ts';
import { writeUnknownBlob, type ImageWork } from './image-work.ts';
import { claimSnapshot, unpackLayerOn } from './unpack-layers.ts';

/** A layer's blob. It is stored as it is unpacked (compressing is for the way to a registry), so its digest is its diff id. */
export interface NewLayer {
  readonly blob: ContentDescriptor;
  readonly diffId: string;
}

// A tar of nothing: two empty blocks.
const EMPTY_TAR = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/** What was changed in a snapshot, as a layer in the content store; undefined where nothing was. */
export async function createLayer(
  work: ImageWork,
  snapshot: {
    readonly mounts: readonly Mount[];
    readonly mountPoints: ReadonlySet<string>;
    /** Seconds since 1970 that no time in the layer is later than; undefined: as they are. */
    readonly latestSeconds?: number | undefined;
  },
): Promise<NewLayer | undefined> {
  const { mounts, ...options } = snapshot;
  const changes = await work.job.rootfs.exportChanges(mounts, { ...options, signal: work.signal });
  try {
    return await storeLayer(work, changes.tar);
  } finally {
    changes.tar.destroy();
    await changes.close();
  }
}

/** A tar as a layer in the content store; undefined where nothing is in it. */
export async function storeLayer(
  work: ImageWork,
  tar: AsyncIterable<Uint8Array>,
): Promise<NewLayer | undefined> {
  const { digest, size } = await writeUnknownBlob(work, tar);
  if (digest === EMPTY_TAR) return undefined;
  return { blob: { mediaType: layerMediaType('none'), digest, size }, diffId: digest };
}

/** The layers with the new one on top, its snapshot made from its blob. */
export async function addLayer(
  work: ImageWork,
  below: readonly ImageLayer[],
  layer: NewLayer | undefined,
): Promise<readonly ImageLayer[]> {
  if (!layer) return below;
  const chainId = chainIdOn(below, layer);
  const on = below.at(-1)?.chainId ?? '';
  const top = await unpackLayerOn(work, { ...layer, chainId, below: on }, { extracting: () => undefined });
  return [...below, top];
}

function chainIdOn(below: readonly ImageLayer[], { diffId }: NewLayer): string {
  return chainIdsOf([...below, { diffId }].map((layer) => layer.diffId)).at(-1) ?? '';
}

/**
 * As addLayer, of the snapshot itself that the layer was read from: nothing is unpacked again. Answers the top layer; the
 * snapshot is gone under its key unless another one has the layer already.
 */
export async function commitLayer(
  work: ImageWork,
  made: { readonly key: string; readonly below: readonly ImageLayer[]; readonly layer: NewLayer },
): Promise<ImageLayer> {
  const { key, below, layer } = made;
  const chainId = chainIdOn(below, layer);
  await work.job.images.lock.run(`layer ${chainId}`, async () => {
    if (await claimSnapshot(work, chainId)) return;
    try {
      await work.store.snapshots.commit({ name: chainId, key });
    } catch (error) {
      // The name is taken: by another's layer, or by what is not collected yet, which unpacking sees to.
      if (!isErrorKind(error, 'Conflict')) throw error;
    }
  });
  const top = (await addLayer(work, below, layer)).at(-1);
  if (!top) throw new EngineError('Internal', 'a layer was lost');
  return top;
}
