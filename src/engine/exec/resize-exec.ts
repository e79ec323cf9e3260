import { EngineError } from '../../errors.ts';
import type { TerminalSize } from '../containers/resize-container.ts';
import type { Job } from '../job.ts';
import { findExec } from './find-exec.ts';

/** Sets the size of an exec's terminal; Conflict when it does not run. */
export async function resizeExec(job: Job, execRef: string, size: TerminalSize): Promise<void> {
  const exec = findExec(job, execRef);
  if (exec.state.status !== 'running') throw new EngineError('Conflict', `Exec ${exec.id} is not running`);
  await job.containerd.tasks.resizePty({ containerId: exec.containerId, execId: exec.id, ...size });
}
