import { createDeferred } from '../../lib/deferred.ts';
import { shortId } from '../../oci/digest.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import type { Repository } from '../../registry/types.ts';
import type { ImageWork } from './image-work.ts';

/** Downloads under way: one promise per layer, and one for the end of them all. */
export interface LayerDownloads {
  readonly ready: readonly Promise<void>[];
  /** Settles when nothing is under way any more; never rejects. */
  readonly ended: Promise<void>;
  /** Ends what is under way. */
  readonly stop: () => void;
}

const PARALLEL_DOWNLOADS = 3;
const PROGRESS_INTERVAL_MS = 100;

/** Starts the downloads, lowest layer first, three at a time; the first failure ends the others and is theirs too. */
export function downloadLayers(
  outer: ImageWork,
  repository: Repository,
  layers: readonly ContentDescriptor[],
): LayerDownloads {
  const failed = new AbortController();
  const work = { ...outer, signal: AbortSignal.any([outer.signal, failed.signal]) };
  const downloads = layers.map((layer) => ({ layer, done: createDeferred<undefined>() }));
  const queue = [...downloads];
  const downloadNext = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !failed.signal.aborted; next = queue.shift()) {
      try {
        await downloadLayer(work, repository, next.layer);
        next.done.resolve(undefined);
      } catch (error) {
        failed.abort();
        for (const { done } of downloads) if (!done.isSettled) done.reject(error);
      }
    }
  };
  const workers = Array.from({ length: PARALLEL_DOWNLOADS }, downloadNext);
  return {
    ready: downloads.map(({ done }) => done.promise),
    ended: Promise.all(workers).then(() => undefined),
    stop: () => {
      failed.abort();
    },
  };
}

async function downloadLayer(
  work: ImageWork,
  repository: Repository,
  layer: ContentDescriptor,
): Promise<void> {
  const id = shortId(layer.digest);
  const written = await work.containerd.content.write(
    { ref: `blob-${layer.digest}`, size: layer.size, digest: layer.digest },
    (offset) => reporting(work, layer, { bytes: repository.fetchBlob(layer, offset), offset }),
    work.signal,
  );
  if (!written.alreadyPresent) work.report({ status: 'Verifying Checksum', progressDetail: {}, id });
  work.report({ status: 'Download complete', progressDetail: {}, id });
}

async function* reporting(
  work: ImageWork,
  layer: ContentDescriptor,
  source: { readonly bytes: AsyncIterable<Uint8Array>; readonly offset: number },
): AsyncGenerator<Uint8Array> {
  const id = shortId(layer.digest);
  let current = source.offset;
  let reportedAt = 0;
  for await (const chunk of source.bytes) {
    yield chunk;
    current += chunk.byteLength;
    const now = performance.now();
    if (now - reportedAt < PROGRESS_INTERVAL_MS && current < layer.size) continue;
    reportedAt = now;
    work.report({ status: 'Downloading', progressDetail: { current, total: layer.size }, id });
  }
}
