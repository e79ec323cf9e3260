import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { Job } from '../engine/job.ts';
import { noticeOom } from '../engine/containers/notice-oom.ts';

const RETRY_MS = 250;
const OOM_LOOKS = 20;
const OOM_LOOK_MS = 50;

/**
 * Listens to containerd for as long as the job lives: out-of-memory kills become part of a container's state.
 * When the connection breaks, `revive` gets the chance to bring an embedded containerd back. Never rejects.
 */
export async function watchContainerd(job: Job, revive: () => Promise<void>): Promise<void> {
  const filter = `namespace==${job.namespace},topic=="/tasks/oom"`;
  while (!isOver(job)) {
    try {
      for await (const { taskEvent } of await job.containerd.events.subscribe([filter], job.signal))
        if (taskEvent?.kind === 'oom')
          job.tasks.track('out-of-memory kill', recordOom(job, taskEvent.containerId));
    } catch (error) {
      job.log.warn({ reason: messageOf(error) }, 'connection to containerd broke');
    }
    await sleep(RETRY_MS);
    if (isOver(job)) return;
    await revive().catch((error: unknown) => {
      job.log.error({ err: error }, 'containerd cannot be brought back');
    });
  }
}

/** Asked anew each time: the signal changes while we wait. */
function isOver(job: Job): boolean {
  return job.signal.aborted;
}

/** The event comes before the kill, and to containers that nothing is killed in. */
async function recordOom(job: Job, containerId: string): Promise<void> {
  const container = job.containers.get(containerId);
  if (!container) return;
  for (let look = 0; look < OOM_LOOKS; look += 1) {
    if (isOver(job) || container.run === undefined || (await noticeOom(job, container))) return;
    await sleep(OOM_LOOK_MS);
  }
}
