import { Readable } from 'node:stream';
import { createImageArchives } from '../../src/archive/read-images.ts';
import type { Settings } from '../../src/config/schema.ts';
import type { JobStore } from '../../src/containerd/job-store.ts';
import type { Containerd } from '../../src/containerd/types.ts';
import { loadImage } from '../../src/engine/images/load-image.ts';
import { pullImage } from '../../src/engine/images/pull-image.ts';
import type { Job } from '../../src/engine/job.ts';
import type { HostFacts } from '../../src/host/types.ts';
import { createClock } from '../../src/lib/clock.ts';
import { createTaskTracker } from '../../src/lib/task-tracker.ts';
import { createLogger } from '../../src/logger.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { Registry } from '../../src/registry/types.ts';
import { createContainerStore } from '../../src/state/container-store.ts';
import { createEventLog } from '../../src/state/event-log.ts';
import { createImageStore } from '../../src/state/image-store.ts';
import type { ImageCache } from '../../src/state/image-cache.ts';
import { createPullLog } from '../../src/state/pull-log.ts';
import type { ImageProgress } from '../../src/wire/image-progress.ts';
import { hostArchitecture, type BuiltImage } from './image-builder.ts';
import { DEFAULT_LIMITS } from './contract-app.ts';
import { createNoCache } from './no-cache.ts';
import { partOf } from './records.ts';

/** How a job of a test differs from one that has its images to itself. */
export interface ImageJobOptions {
  readonly store?: JobStore;
  readonly cache?: ImageCache;
  readonly layerBytes?: number;
  readonly imageBytes?: number;
}

/** A job that has images and nothing else; without a store its images are in the namespace of `containerd`. */
export function openImageJob(
  containerd: Containerd,
  registry: Registry,
  {
    store = containerd,
    cache = createNoCache(),
    layerBytes = DEFAULT_LIMITS.layerBytes,
    imageBytes = DEFAULT_LIMITS.imageBytes,
  }: ImageJobOptions = {},
): Job {
  return partOf<Job>({
    containerd,
    store,
    registry,
    settings: partOf<Settings>({ limits: { ...DEFAULT_LIMITS, layerBytes, imageBytes } }),
    archives: createImageArchives(),
    namespace: containerd.namespace,
    images: createImageStore(store.images),
    cache,
    pulls: createPullLog(),
    tasks: createTaskTracker(() => undefined),
    containers: createContainerStore(),
    events: createEventLog(createClock()),
    host: partOf<HostFacts>({ architecture: hostArchitecture() }),
    log: createLogger('silent'),
    nowNs: createClock(),
    signal: new AbortController().signal,
  });
}

/** Pulls and answers all lines of progress. */
export async function pullAll(job: Job, name: string, platform = ''): Promise<readonly ImageProgress[]> {
  const lines: ImageProgress[] = [];
  await pullImage(job, {
    reference: parseReference(name),
    platform,
    report: (line) => lines.push(line),
    signal: new AbortController().signal,
  });
  return lines;
}

/** Loads an archive quietly and answers all lines. */
export async function loadAll(job: Job, archive: Buffer): Promise<readonly ImageProgress[]> {
  const lines: ImageProgress[] = [];
  await loadImage(job, {
    tar: Readable.from([archive]),
    platform: '',
    quiet: true,
    report: (line) => lines.push(line),
    signal: new AbortController().signal,
  });
  return lines;
}

/** What the namespace has after everything that nobody refers to was collected. */
export async function storedAfterCollection(containerd: Containerd): Promise<{
  readonly content: readonly string[];
  readonly snapshots: readonly string[];
  readonly writes: number;
  readonly leases: number;
}> {
  // The end of a lease, waited for, is the end of a collection.
  await containerd.leases.create({ id: 'collect' });
  await containerd.leases.delete('collect', { sync: true });
  const content = await containerd.content.list();
  const snapshots = await containerd.snapshots.list();
  return {
    content: content.map(({ digest }) => digest).sort(),
    snapshots: snapshots.map(({ name }) => name).sort(),
    writes: (await containerd.content.statuses()).length,
    leases: (await containerd.leases.list()).length,
  };
}

/** Digests of an image's configuration and layers. */
export function blobsOf(image: BuiltImage): readonly string[] {
  return [image.config, ...image.layers].map(({ digest }) => digest);
}
