import { EngineError } from '../../errors.ts';
import { parseSignal } from '../../oci/signals.ts';
import type { Job } from '../job.ts';
import { unpauseContainer } from './pause-container.ts';
import { isPaused } from './require-running.ts';
import { signalContainer } from './signal-container.ts';
import { stopSignalOf } from './stop-container.ts';

const SIGKILL = 9;

/** `docker kill`: Conflict when it does not run. A SIGKILL waits for the end, as dockerd's does. */
export async function killContainer(job: Job, containerRef: string, signalName: string): Promise<void> {
  const container = job.containers.resolve(containerRef);
  const signal = signalName === '' ? SIGKILL : parseSignal(signalName);
  const { run } = container;
  if (!run)
    throw new EngineError(
      'Conflict',
      `Cannot kill container: ${containerRef}: Container ${container.id} is not running`,
    );
  if (signal === SIGKILL || signal === stopSignalOf(container)) run.isStopRequested = true;
  if (isPaused(container) && signal === SIGKILL) await unpauseContainer(job, container.id);
  await signalContainer(job, container, signal);
  if (signal === SIGKILL) await run.exited.promise;
}
