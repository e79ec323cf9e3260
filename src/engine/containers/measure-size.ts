import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';

/** Bytes of a container's files. */
export interface ContainerSize {
  /** What it wrote itself. */
  readonly rwBytes: number;
  /** The same and its image's layers. */
  readonly rootFsBytes: number;
}

/** Asks the snapshotter for what the container wrote; the layers of an image do not change. */
export async function measureSize(job: Job, container: Container): Promise<ContainerSize> {
  const { sizeBytes: rwBytes } = await job.store.snapshots.usage(container.id);
  // A forced removal may have taken the image's names; then any image with the same layers tells their sizes.
  const layers =
    job.images.get(container.record.imageId)?.layers ??
    job.images.list().find((image) => image.chainId === container.record.chainId)?.layers ??
    [];
  return { rwBytes, rootFsBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, rwBytes) };
}
