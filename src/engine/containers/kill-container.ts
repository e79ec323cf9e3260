import { EngineError, isErrorKind } from '../../errors.ts';
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
  const signal = signalName === '' ? SIGKILL : parseSignal(signalName);
  const container = resolveToKill(job, containerRef);
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

/** Only here dockerd says what it could not do with what is not there. */
function resolveToKill(job: Job, containerRef: string): Container {
  try {
    return job.containers.resolve(containerRef);
  } catch (cause) {
    if (!isErrorKind(cause, 'NotFound')) throw cause;
    throw new EngineError('NotFound', `Cannot kill container: ${containerRef}: ${cause.message}`, { cause });
  }
}

/** As dockerd: where the container names its stop signal only that and SIGKILL mean the end, else every signal. */
function meansStop(container: Container, signal: number): boolean {
  return (
    container.record.config.StopSignal === undefined ||
    signal === SIGKILL ||
    signal === stopSignalOf(container)
  );
}
