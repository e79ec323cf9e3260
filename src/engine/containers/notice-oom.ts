import { messageOf } from '../../errors.ts';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { containerCgroup } from './container-paths.ts';
import { emitContainerEvent } from './emit-container-event.ts';

/**
 * Makes kills for want of memory part of the run's state; answers whether there were new ones. The kernel's own count
 * decides: with cgroup v1 every container of a job is told when the job's budget is used up, also those that live on.
 */
export async function noticeOom(job: Job, container: Container): Promise<boolean> {
  const { run } = container;
  if (!run) return false;
  const kills = await countKills(job, container);
  if (container.run !== run || kills <= run.oomKills) return false;
  run.oomKills = kills;
  emitContainerEvent(job, container, { action: 'oom' });
  return true;
}

async function countKills(job: Job, container: Container): Promise<number> {
  try {
    return await job.meter.oomKills(containerCgroup(job, container.record));
  } catch (error) {
    job.log.error({ containerId: container.id, err: messageOf(error) }, 'out-of-memory kills not counted');
    return 0;
  }
}
