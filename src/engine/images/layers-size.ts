import type { Job } from '../job.ts';

/** Bytes that the layers of all of the job's images take, unpacked; one that several images have is there once. */
export function layersSize({ images }: Pick<Job, 'images'>): number {
  const layers = images.list().flatMap((image) => image.layers);
  const sizes = new Map(layers.map(({ chainId, sizeBytes }) => [chainId, sizeBytes]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
