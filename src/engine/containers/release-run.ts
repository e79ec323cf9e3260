import type { Container, StreamSession } from '../../state/container.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import type { Job } from '../job.ts';
import { closeSharedMemory } from './join-namespaces.ts';

/** What a run still holds that somebody else has a handle of. */
export interface HeldByRun {
  readonly session?: StreamSession;
  /** The end of its network, where that has begun. */
  readonly networkClosed?: Promise<void>;
}

/** Gives back what a run held: task, its streams, shared memory, network. May be repeated. */
export async function releaseRun(job: Job, container: Container, held: HeldByRun = {}): Promise<void> {
  try {
    await ignoreAbsent(job.containerd.tasks.delete(container.id));
  } finally {
    await held.session?.io.dispose();
  }
  await closeSharedMemory(job, container);
  await (held.networkClosed ?? job.network.closeSandbox(container.id));
}

/** Waits for the release of the last run, and makes up for it where it failed. */
export async function ensureReleased(job: Job, container: Container): Promise<void> {
  if (await container.released) return;
  await releaseRun(job, container);
  container.released = Promise.resolve(true);
}
