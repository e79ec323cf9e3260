import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { removeContainer } from '../containers/remove-container.ts';
import { WORK_LEASE_PREFIX } from '../images/image-work.ts';
import type { Job } from '../job.ts';
import { CACHE_LEASE } from './keep-step.ts';

/** Directories of builds, of their secrets, and of agents that were lent to their steps: as those who make them name them. */
const LEFT = /^(?:(?:build|secret)-[0-9a-f]{64}|a-[0-9a-f]{6})$/;

/**
 * Clears away what builds (and pulls) of an earlier process of this job left when it was killed: steps that still run, the
 * leases of their layers, their directories. To be called once its containers are known, before anything is served.
 */
export async function sweepBuilds(job: Job): Promise<void> {
  await Promise.all(leftSteps(job).map((id) => endStep(job, id)));
  // Steps of a cache that outlives the process are kept by records of their own.
  const leases = await job.store.leases.list();
  for (const { id } of leases)
    if (id.startsWith(WORK_LEASE_PREFIX) || id === CACHE_LEASE)
      await job.store.leases.delete(id, { sync: false });
  const { stateDir, runDir } = job.paths;
  for (const directory of [stateDir, runDir])
    for (const name of await readdir(directory))
      if (LEFT.test(name)) await job.trees.remove(join(directory, name));
}

/** Containers that no client sees, but the job's own. */
function leftSteps({ containers, jobContainer }: Job): readonly string[] {
  const own = jobContainer.get();
  const ownId = own?.kind === 'containerd' ? own.id : '';
  return containers
    .all()
    .filter(({ id, record }) => record.isHidden && id !== ownId)
    .map(({ id }) => id);
}

/** One that cannot be ended now goes with the job: the others are served all the same. */
async function endStep(job: Job, id: string): Promise<void> {
  const container = job.containers.get(id);
  if (!container) return;
  try {
    await removeContainer(job, container, { force: true, removeVolumes: true });
    job.log.warn({ containerId: id }, 'ended a build step whose build was killed');
  } catch (error) {
    job.log.error({ err: messageOf(error), containerId: id }, 'a left-over build step was not ended');
  }
}
