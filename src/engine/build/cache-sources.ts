import type { Image, ImageLayer } from '../../state/image-store.ts';
import type { BuildRun, BuiltImage } from './build-run.ts';

/** Looks for a step in the images that `--cache-from` names: one that was made on the same layers, by the same steps. */
export function findInSources(
  run: BuildRun,
  image: BuiltImage,
  description: string,
): { readonly createdAt: string; readonly layer: ImageLayer | undefined } | undefined {
  for (const source of run.cacheSources) {
    const step = source.config.history[image.config.history.length];
    if (step?.createdBy !== description || !isMadeOn(source, image)) continue;
    const layer = step.emptyLayer ? undefined : source.layers[image.layers.length];
    if (step.emptyLayer || layer) return { createdAt: step.created, layer };
  }
  return undefined;
}

function isMadeOn({ config }: Image, base: BuiltImage): boolean {
  return (
    base.config.diffIds.every((diffId, index) => config.diffIds[index] === diffId) &&
    base.config.history.every(({ createdBy }, index) => config.history[index]?.createdBy === createdBy)
  );
}
