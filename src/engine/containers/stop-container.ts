import { EngineError } from '../../errors.ts';
import { parseSignal } from '../../oci/signals.ts';
import type { Container, ContainerRun } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { unpauseContainer } from './pause-container.ts';
import { isLive, isPaused } from './require-running.ts';
import { cancelRestart, requestStop } from './restart-policy-end.ts';
import { signalContainer } from './signal-container.ts';

const SIGKILL = 9;
const DEFAULT_TIMEOUT_SECONDS = 10;
/** setTimeout's limit: about 24 days, longer than any job. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** How `docker stop` asks; undefined takes the container's own values. */
export interface StopOptions {
  /** Seconds before SIGKILL; negative waits for ever. */
  readonly timeoutSeconds: number | undefined;
  readonly signal: string | undefined;
}

/** `docker stop`: its stop signal, a time to heed it, then SIGKILL. NotModified when it does not run. */
export async function stopContainer(job: Job, containerRef: string, options: StopOptions): Promise<void> {
  const container = job.containers.resolve(containerRef);
  const signal = options.signal ? parseSignal(options.signal) : stopSignalOf(container);
  if (!isLive(container))
    throw new EngineError('NotModified', `Container ${container.id} is already stopped`);
  await requestStop(job, container);
  await cancelRestart(container);
  const { run } = container;
  if (run)
    await stopRun(job, container, {
      run,
      signal,
      timeoutSeconds:
        options.timeoutSeconds ?? container.record.config.StopTimeout ?? DEFAULT_TIMEOUT_SECONDS,
    });
  emitContainerEvent(job, container, { action: 'stop' });
}

/** The number of the signal that asks this container to end. */
export function stopSignalOf(container: Container): number {
  return parseSignal(container.record.config.StopSignal ?? 'SIGTERM');
}

async function stopRun(
  job: Job,
  container: Container,
  stop: { readonly run: ContainerRun; readonly signal: number; readonly timeoutSeconds: number },
): Promise<void> {
  const { run, signal, timeoutSeconds } = stop;
  await signalContainer(job, container, signal);
  // A frozen process cannot heed a signal before it is thawed.
  if (isPaused(container)) await unpauseContainer(job, container.id);
  if (timeoutSeconds < 0) {
    await run.exited.promise;
    return;
  }
  if (await settlesWithin(run.exited.promise, timeoutSeconds * 1000)) return;
  await signalContainer(job, container, SIGKILL);
  await run.exited.promise;
}

/** True when the promise settled in time. */
async function settlesWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, Math.min(timeoutMs, MAX_TIMEOUT_MS), false);
  });
  try {
    return await Promise.race([promise.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
