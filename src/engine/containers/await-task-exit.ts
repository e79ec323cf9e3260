import { setTimeout as sleep } from 'node:timers/promises';
import type { ExitStatus, ProcessRef } from '../../containerd/types.ts';
import { isErrorKind, messageOf } from '../../errors.ts';
import type { Job } from '../job.ts';

const RETRY_MS = 200;
/** What Docker reports for a process whose end nobody saw. */
const UNKNOWN_EXIT = 255;

/** The end of a process, seen through restarts of containerd; a process that containerd has lost ends with 255 and an error. */
export async function awaitTaskExit(
  job: Job,
  process: ProcessRef,
  firstWait: Promise<ExitStatus>,
): Promise<ExitStatus & { readonly error: string }> {
  let wait = firstWait;
  for (;;) {
    try {
      return { ...(await wait), error: '' };
    } catch (error) {
      if (isErrorKind(error, 'NotFound'))
        return {
          exitStatus: UNKNOWN_EXIT,
          exitedAt: undefined,
          error: 'the process ended while containerd was away',
        };
      job.log.warn(
        { ...process, reason: messageOf(error) },
        'lost sight of a process, waiting for containerd',
      );
    }
    await sleep(RETRY_MS);
    wait = job.containerd.tasks.wait(process);
  }
}
