import { EngineError } from '../../errors.ts';
import { parseSignal } from '../../oci/signals.ts';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { unpauseContainer } from './pause-container.ts';
import { isLive, isPaused } from './require-running.ts';
import { cancelRestart, requestStop } from './restart-policy-end.ts';
import { signalContainer } from './signal-container.ts';
import { stopSignalOf } from './stop-container.ts';

const SIGKILL = 9;

/** `docker kill`: Conflict when it does not run. A SIGKILL waits for the end, as dockerd's does. */
export async function killContainer(job: Job, containerRef: string, signalName: string): Promise<void> {
  const container = job.containers.resolve(containerRef);
  const signal = signalName === '' ? SIGKILL : parseSignal(signalName);
  if (!isLive(container))
    throw new EngineError(
      'Conflict',
      `Cannot kill container: ${containerRef}: Container ${container.id} is not running`,
    );
  if (meansStop(container, signal)) {
    await requestStop(job, container);
    await cancelRestart(container);
  }
  const { run } = container;
  if (!run) return;
  if (isPaused(container) && signal === SIGKILL) await unpauseContainer(job, container.id);
  await signalContainer(job, container, signal);
  if (signal === SIGKILL) await run.exited.promise;
}

/** As dockerd: where the container names its stop signal only that and SIGKILL mean the end, else every signal. */
function meansStop(container: Container, signal: number): boolean {
  return (
    container.record.config.StopSignal === undefined ||
    signal === SIGKILL ||
    signal === stopSignalOf(container)
  );
}
