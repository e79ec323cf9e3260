import type { Job } from '../job.ts';

/** Bytes that the layers of all of the job's images take, unpacked; one that several images have is there once. */
export function layersSize(job: Pick<Job, 'images'>): number {
  return sumOf(layerSizes(job));
}

/** The same with what the job's pulls, loads and imports under way have unpacked so far. */
export function takenBytes(job: Pick<Job, 'images'>): number {
  return sumOf(new Map([...job.images.unpacking, ...layerSizes(job)]));
}

function layerSizes({ images }: Pick<Job, 'images'>): ReadonlyMap<string, number> {
  const layers = images.list().flatMap((image) => image.layers);
  return new Map(layers.map(({ chainId, sizeBytes }) => [chainId, sizeBytes]));
}

function sumOf(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
