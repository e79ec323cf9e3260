import { forEachBounded } from '../../lib/for-each-bounded.ts';
import { shortId } from '../../oci/digest.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import type { PushRepository } from '../../registry/types.ts';
import type { DistributionForm } from './distribution-form.ts';
import type { ImageWork } from './image-work.ts';

/** Where blobs go. */
export interface PushTarget {
  readonly repository: PushRepository;
  /** The path of another repository of the same registry that has the layer, compressed perhaps otherwise. */
  readonly mountSource: (diffId: string) => string | undefined;
  /** Blobs that this push has seen there: not asked for again by its next tag. */
  readonly present: Set<string>;
  /** Blobs of which it was sent the bytes: it can serve them from now on, as a pull would see. */
  readonly uploaded: Set<string>;
}

type Layer = DistributionForm['layers'][number];

const PARALLEL_UPLOADS = 5;
const PROGRESS_INTERVAL_MS = 100;

/** Uploads what the registry lacks, several blobs at once; a layer that comes twice goes once. */
export async function pushLayers(
  work: ImageWork,
  layers: readonly Layer[],
  target: PushTarget,
): Promise<void> {
  for (const { diffId } of layers.toReversed())
    work.report({ status: 'Preparing', progressDetail: {}, id: shortId(diffId) });
  const once = [...new Map(layers.map((layer) => [layer.blob.digest, layer])).values()];
  await forEachBounded(once, PARALLEL_UPLOADS, (layer) => pushLayer(work, layer, target));
}

async function pushLayer(work: ImageWork, { diffId, blob }: Layer, target: PushTarget): Promise<void> {
  const id = shortId(diffId);
  const { repository, present } = target;
  if (present.has(blob.digest) || (await repository.hasBlob(blob.digest))) {
    work.report({ status: 'Layer already exists', progressDetail: {}, id });
  } else {
    const from = target.mountSource(diffId);
    const outcome = await repository.pushBlob({
      ...blob,
      mountFrom: from,
      open: () => reporting(work, blob, id),
    });
    const status = outcome === 'mounted' ? `Mounted from ${from ?? ''}` : 'Pushed';
    work.report({ status, progressDetail: {}, id });
    if (outcome === 'uploaded') target.uploaded.add(blob.digest);
  }
  present.add(blob.digest);
}

/** Uploads an image's configuration, of which nothing is shown. */
export async function pushConfig(
  work: ImageWork,
  config: ContentDescriptor,
  { repository, present, uploaded }: PushTarget,
): Promise<void> {
  if (present.has(config.digest) || (await repository.hasBlob(config.digest))) return;
  const open = (): AsyncIterable<Uint8Array> => work.store.content.read(config.digest);
  await repository.pushBlob({ ...config, mountFrom: undefined, open });
  uploaded.add(config.digest);
}

async function* reporting(work: ImageWork, blob: ContentDescriptor, id: string): AsyncGenerator<Uint8Array> {
  let current = 0;
  let reportedAt = 0;
  for await (const chunk of work.store.content.read(blob.digest)) {
    yield chunk;
    current += chunk.byteLength;
    const now = performance.now();
    if (now - reportedAt < PROGRESS_INTERVAL_MS && current < blob.size) continue;
    reportedAt = now;
    work.report({ status: 'Pushing', progressDetail: { current, total: blob.size }, id });
  }
}
