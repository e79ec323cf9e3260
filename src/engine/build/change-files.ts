import { EngineError, messageOf } from '../../errors.ts';
import { createRandomId } from '../../lib/random-id.ts';
import type { RootHandle } from '../../rootfs/types.ts';
import type { ImageLayer } from '../../state/image-store.ts';
import { addLayer, commitLayer, createLayer } from '../images/create-layer.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import { chainIdOf } from './built-image.ts';
import type { StageRun } from './stage-run.ts';

const NO_MOUNTS: ReadonlySet<string> = new Set();

/** Changes files of the stage without running anything; what was changed becomes a layer. */
export async function changeFiles(
  { run, image }: StageRun,
  change: (root: RootHandle) => Promise<void>,
): Promise<ImageLayer | undefined> {
  const { work } = run;
  const snapshots = work.store.snapshots;
  const key = `build-${createRandomId()}`;
  const mounts = await snapshots.prepare({ key, parent: chainIdOf(image) });
  try {
    const root = await work.job.rootfs.openMounts(mounts, { isOwn: true });
    try {
      await change(root);
    } finally {
      await root.close();
    }
    const latestSeconds = run.epochSeconds;
    const layer = await createLayer(work, { mounts, mountPoints: NO_MOUNTS, latestSeconds });
    // Times that were cut are cut in the layer alone: its snapshot is made from that.
    if (latestSeconds !== undefined) return await topLayer(run, image.layers, layer);
    return layer && (await commitLayer(work, { key, below: image.layers, layer }));
  } finally {
    // Where it was committed, it is there under the layer's name alone.
    await ignoreAbsent(snapshots.remove(key)).catch((error: unknown) => {
      work.job.log.warn({ err: messageOf(error) }, 'snapshot of a build step not removed');
    });
  }
}

/** Puts a new layer on top of others; undefined stays undefined. */
export async function topLayer(
  { work }: StageRun['run'],
  below: readonly ImageLayer[],
  layer: Awaited<ReturnType<typeof createLayer>>,
): Promise<ImageLayer | undefined> {
  if (!layer) return undefined;
  const top = (await addLayer(work, below, layer)).at(-1);
  if (!top) throw new EngineError('Internal', 'a layer was lost');
  return top;
}
