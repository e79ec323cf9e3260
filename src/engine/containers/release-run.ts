import type { Container, StreamSession } from '../../state/container.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import type { Job } from '../job.ts';

/** Gives back what a run held: task, its streams, network. May be repeated. */
export async function releaseRun(job: Job, container: Container, session?: StreamSession): Promise<void> {
  try {
    await ignoreAbsent(job.containerd.tasks.delete(container.id));
  } finally {
    await session?.io.dispose();
  }
  await job.network.closeSandbox(container.id);
}

/** Waits for the release of the last run, and makes up for it where it failed. */
export async function ensureReleased(job: Job, container: Container): Promise<void> {
  if (await container.released) return;
  await releaseRun(job, container);
  container.released = Promise.resolve(true);
}
