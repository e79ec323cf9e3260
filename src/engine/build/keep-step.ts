import { isErrorKind } from '../../errors.ts';
import type { CachedStep } from '../../state/build-cache.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import type { ImageWork } from '../images/image-work.ts';
import type { Job } from '../job.ts';

/** Lease that keeps the layers of cached steps; it goes with the job. */
export const CACHE_LEASE = 'berth-build-cache';

/** Puts a step into the job's cache, with its layer. */
export async function keepStep({ job }: Pick<ImageWork, 'job'>, step: CachedStep): Promise<void> {
  if (step.layer) {
    const { leases } = job.store;
    try {
      await leases.create({ id: CACHE_LEASE, labels: {} });
    } catch (error) {
      if (!isErrorKind(error, 'Conflict')) throw error;
    }
    for (const resource of resourcesOf(job, step)) await leases.addResource(CACHE_LEASE, resource);
  }
  await job.buildCache.add(step);
}

/** Takes a step out of the cache; its layer goes where nothing else needs it. */
export async function dropStep(job: Job, step: CachedStep): Promise<void> {
  if (!(await job.buildCache.remove(step.key))) return;
  const isShared = job.buildCache.list().some(({ layer }) => layer?.chainId === step.layer?.chainId);
  if (isShared) return;
  for (const resource of resourcesOf(job, step))
    await ignoreAbsent(job.store.leases.deleteResource(CACHE_LEASE, resource));
}

function resourcesOf(
  { store }: Job,
  { layer }: CachedStep,
): readonly { readonly id: string; readonly type: string }[] {
  if (!layer) return [];
  return [
    { id: layer.blob.digest, type: 'content' },
    { id: layer.chainId, type: `snapshots/${store.snapshots.snapshotter}` },
  ];
}
