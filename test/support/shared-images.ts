import { afterAll, beforeAll } from 'vitest';
import { IMAGE_NAMESPACE, openJobStore } from '../../src/containerd/job-store.ts';
import type { Containerd } from '../../src/containerd/types.ts';
import { pullImage } from '../../src/engine/images/pull-image.ts';
import type { Job } from '../../src/engine/job.ts';
import { sweepStore } from '../../src/job/sweep-store.ts';
import { createRandomId } from '../../src/lib/random-id.ts';
import { createLogger } from '../../src/logger.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { Registry, RegistryCredentials } from '../../src/registry/types.ts';
import { createImageCache, type ImageCache, type ImageCacheOptions } from '../../src/state/image-cache.ts';
import { buildImage, type BuiltImage } from './image-builder.ts';
import { openImageJob, type ImageJobOptions } from './image-job.ts';
import { startRealContainerd, type RealContainerd } from './real-containerd.ts';

/** What `storedAfterCollection` finds where nothing is kept. */
export const NOTHING = { content: [], snapshots: [], writes: 0, leases: 0 };

/** A job that has images in the namespace that all jobs share. */
export interface SharingJob {
  readonly job: Job;
  /** What the end of a job does there. */
  readonly end: () => Promise<readonly string[]>;
}

/** How a job differs from others. */
export interface JobChoices extends Omit<ImageJobOptions, 'store'> {
  readonly registry?: Registry;
}

/** A containerd with an image namespace, for all tests of a file. */
export interface SharedImages {
  readonly containerd: Containerd;
  /** The image namespace. */
  readonly images: Containerd;
  readonly openJob: (options?: JobChoices) => SharingJob;
  readonly cacheOf: (options?: Partial<ImageCacheOptions>) => ImageCache;
}

/** Starts one before the tests of a file, and ends it after them. */
export function useSharedImages(): SharedImages {
  const registries = createRegistry({
    registriesDir: undefined,
    insecureRegistries: [],
    network: { kind: 'isolated' },
  });
  let real: RealContainerd | undefined;
  let containerd: Containerd | undefined;
  let count = 0;
  beforeAll(async () => {
    real = await startRealContainerd();
    containerd = real.connect('none');
  });
  afterAll(async () => {
    registries.close();
    await real?.stop();
  });
  const connected = (): Containerd => {
    if (!containerd) throw new Error('containerd has not started');
    return containerd;
  };
  return {
    get containerd() {
      return connected();
    },
    get images() {
      return connected().inNamespace(IMAGE_NAMESPACE);
    },
    openJob({ registry = registries, ...options } = {}) {
      count += 1;
      const slug = `shared-${String(count)}`;
      const store = openJobStore(connected().inNamespace(IMAGE_NAMESPACE), slug);
      const job = openImageJob(connected(), registry, { store, ...options });
      return { job, end: () => sweepStore(connected(), slug) };
    },
    cacheOf: (options) =>
      createImageCache({
        images: connected().inNamespace(IMAGE_NAMESPACE).images,
        scope: 'team',
        highPercent: 80,
        lowPercent: 70,
        usedPercent: () => Promise.resolve(0),
        nowMs: Date.now,
        log: createLogger('silent'),
        ...options,
      }),
  };
}

/** An image of two layers that no other test has. */
export function uniqueImage(): Promise<BuiltImage> {
  const content = createRandomId();
  return buildImage({
    base: 'scratch',
    layers: [
      [{ type: 'file', path: 'first', content }],
      [{ type: 'file', path: 'second', content: `${content} two` }],
    ],
  });
}

/** Pulls with what a client sent along. */
export async function pullWith(
  job: Job,
  name: string,
  options: { readonly credentials?: RegistryCredentials; readonly signal?: AbortSignal } = {},
): Promise<void> {
  await pullImage(job, {
    reference: parseReference(name),
    platform: '',
    report: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
}

/** Drops everything that is kept for later jobs. */
export async function emptyCache({ cacheOf }: SharedImages): Promise<number> {
  return cacheOf({ usedPercent: () => Promise.resolve(90) }).makeRoom();
}

/** How far each pull of the job was served from the host. */
export function cacheWords(job: Job): readonly string[] {
  return job.pulls.recent().map(({ cache }) => cache);
}
