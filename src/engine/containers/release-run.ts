import type { Container } from '../../state/container.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import type { Job } from '../job.ts';
import { closeSession } from './open-session.ts';

/** Gives back what a run held: task, streams, network. May be repeated. */
export async function releaseRun(job: Job, container: Container): Promise<void> {
  await ignoreAbsent(job.containerd.tasks.delete(container.id));
  await closeSession(container);
  await job.network.closeSandbox(container.id);
}

/** Waits for the release of the last run, and makes up for it where it failed. */
export async function ensureReleased(job: Job, container: Container): Promise<void> {
  if (await container.released) return;
  await releaseRun(job, container);
  container.released = Promise.resolve(true);
}
