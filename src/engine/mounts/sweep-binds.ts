import type { Job } from '../job.ts';

/** Takes away what a crash left of containers that were never made, or are gone. Binds of the others are kept as they are. */
export async function sweepBinds(job: Job): Promise<void> {
  for (const containerId of await job.binds.listStaged()) {
    if (job.containers.get(containerId)) continue;
    job.log.warn({ containerId }, 'removed binds of a container that is not there');
    await job.binds.unstage(containerId);
  }
}
