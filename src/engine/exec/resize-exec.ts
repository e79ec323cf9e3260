import { EngineError } from '../../errors.ts';
import { settlesWithin } from '../../lib/settles-within.ts';
import type { TerminalSize } from '../containers/resize-container.ts';
import type { Job } from '../job.ts';
import { findExec } from './find-exec.ts';

/** How long an exec may take to begin, as in dockerd: clients tell the size when their stream is there, which is earlier. */
const BEGIN_MS = 10_000;

/** Sets the size of an exec's terminal, once it has begun; Conflict when it does not run, or not within ten seconds. */
export async function resizeExec(job: Job, execRef: string, size: TerminalSize): Promise<void> {
  const exec = findExec(job, execRef);
  await settlesWithin(exec.begun.promise, BEGIN_MS);
  if (exec.state.status !== 'running') throw new EngineError('Conflict', `Exec ${exec.id} is not running`);
  await job.containerd.tasks.resizePty({ containerId: exec.containerId, execId: exec.id, ...size });
}
