import type { WrittenContent } from '../../containerd/types-store.ts';
import { EngineError, isErrorKind } from '../../errors.ts';
import { createDeferred } from '../../lib/deferred.ts';
import { shortId } from '../../oci/digest.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import { checkActive, type ImageWork } from './image-work.ts';
import type { Pull } from './pull-types.ts';

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

/**
 * Starts the downloads of the layers that are not granted from the store, lowest first, three at a time; the first
 * failure ends the others and is theirs too.
 */
export function downloadLayers(
  outer: ImageWork,
  pull: Pull,
  source: { readonly layers: readonly ContentDescriptor[]; readonly granted: ReadonlySet<string> },
): LayerDownloads {
  const failed = new AbortController();
  const work = { ...outer, signal: AbortSignal.any([outer.signal, failed.signal]) };
  const downloads = source.layers.map((layer) => ({ layer, done: createDeferred<undefined>() }));
  const queue = [...downloads];
  const downloadNext = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !failed.signal.aborted; next = queue.shift()) {
      try {
        if (!source.granted.has(next.layer.digest)) await downloadLayer(work, pull, next.layer);
        work.report({ status: 'Download complete', progressDetail: {}, id: shortId(next.layer.digest) });
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

/**
 * Brings a layer into the store. A blob that another repository's pull has left there is downloaded all the same: that a
 * registry can name it, or says that it has it, does not show that it has its bytes.
 */
async function downloadLayer(work: ImageWork, pull: Pull, layer: ContentDescriptor): Promise<void> {
  const { repository, access } = pull;
  const written = await writeLayer(work, pull, layer);
  // Another job may have brought it from the same repository meanwhile: that will do.
  if (written.alreadyPresent && !(await isGiven(work, pull, layer))) {
    const bytes = repository.fetchBlob(layer);
    for await (const chunk of reporting(work, pull, { layer, bytes, offset: 0 }))
      if (chunk.byteLength > 0) checkActive(work);
    if (Object.keys(access.servedLabels).length > 0)
      await work.store.content.updateLabels(layer.digest, access.servedLabels);
  }
  work.report({ status: 'Verifying Checksum', progressDetail: {}, id: shortId(layer.digest) });
}

// containerd computes the digest as it writes: a second time here would take half of this process's share of a pull.
async function writeLayer(work: ImageWork, pull: Pull, layer: ContentDescriptor): Promise<WrittenContent> {
  const { digest, size } = layer;
  const { writeRef, servedLabels } = pull.access;
  try {
    return await work.store.content.write(
      { ref: writeRef(digest), size, digest, shownLabels: servedLabels },
      (offset) =>
        reporting(work, pull, { layer, bytes: pull.repository.fetchUnverified(layer, offset), offset }),
      work.signal,
    );
  } catch (error) {
    if (!isErrorKind(error, 'Conflict')) throw error;
    throw new EngineError('Unavailable', `filesystem layer verification failed for digest ${digest}`, {
      cause: error,
    });
  }
}

async function isGiven(work: ImageWork, pull: Pull, layer: ContentDescriptor): Promise<boolean> {
  if (!pull.access.isServed(await work.store.content.info(layer.digest))) return false;
  return pull.repository.isAnonymous() || (await pull.repository.hasBlob(layer));
}

async function* reporting(
  work: ImageWork,
  pull: Pull,
  source: {
    readonly layer: ContentDescriptor;
    readonly bytes: AsyncIterable<Uint8Array>;
    readonly offset: number;
  },
): AsyncGenerator<Uint8Array> {
  const { layer } = source;
  const id = shortId(layer.digest);
  let current = source.offset;
  let reportedAt = 0;
  for await (const chunk of source.bytes) {
    yield chunk;
    current += chunk.byteLength;
    pull.traffic.networkBytes += chunk.byteLength;
    const now = performance.now();
    if (now - reportedAt < PROGRESS_INTERVAL_MS && current < layer.size) continue;
    reportedAt = now;
    work.report({ status: 'Downloading', progressDetail: { current, total: layer.size }, id });
  }
}
