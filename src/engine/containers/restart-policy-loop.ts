import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { stayStopped } from './restart-policy-end.ts';

/** Starts a container anew; false where that failed, and the container has ended with the reason in its state. */
export type StartAgain = (job: Job, container: Container) => Promise<boolean>;

/** Carries a pending restart out when its time has come, unless it is cancelled before. */
export async function restartLater(job: Job, container: Container, startAgain: StartAgain): Promise<void> {
  const pending = container.pendingRestart;
  if (!pending) return;
  const { signal } = pending.cancel;
  try {
    // An abort ends the sleep early; the check behind the lock sees it.
    await sleep(pending.delayMs, undefined, { signal }).catch(() => undefined);
    await job.containers.lock.run(container.id, async () => {
      const isStarted = !signal.aborted && !container.isRemoving && (await startAgain(job, container));
      if (!isStarted) await stayStopped(job, container);
    });
  } finally {
    container.pendingRestart = undefined;
    pending.settled.resolve();
  }
}
