import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessRef } from '../../containerd/types.ts';
import { EngineError } from '../../errors.ts';
import type { Job } from '../job.ts';

/** setTimeout's limit. */
const MAX_WAIT_MS = 2 ** 31 - 1;
const RETRY_MS = 300;

/**
 * Has the runtime make or start a process, and ends that where it takes too long: whatever it looks up in a container may
 * lie on a file system that never answers. Unavailable then, once the runtime has let go.
 */
export async function startInTime<T>(job: Job, process: ProcessRef, start: () => Promise<T>): Promise<T> {
  const { startSeconds } = job.settings.limits;
  const state = { isLate: false, isOver: false };
  const timer = setTimeout(
    () => {
      state.isLate = true;
      job.log.warn({ ...process, startSeconds }, 'start takes too long and is ended');
      job.tasks.track('end of a start', endStart(job, process, state));
    },
    Math.min(startSeconds * 1000, MAX_WAIT_MS),
  );
  try {
    const started = await start().catch((error: unknown) => {
      throw state.isLate ? tooLate(startSeconds, error) : error;
    });
    // What is killed under the runtime's hands may count as started for it.
    if (state.isLate) throw tooLate(startSeconds);
    return started;
  } finally {
    clearTimeout(timer);
    state.isOver = true;
  }
}

/** A shim has starts wait for each other: what is to be ended may only come to its turn yet. */
async function endStart(job: Job, process: ProcessRef, state: { readonly isOver: boolean }): Promise<void> {
  while (!state.isOver) {
    await job.runtimeCalls.endStart(process);
    await sleep(RETRY_MS);
  }
}

function tooLate(startSeconds: number, cause?: unknown): EngineError {
  return new EngineError(
    'Unavailable',
    `the process did not start within ${startSeconds} seconds (limits.start_seconds) and was killed`,
    { cause },
  );
}
