import { EngineError } from '../../errors.ts';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { resumeHealthChecks, stopHealthChecks } from './health-monitor.ts';
import { isPaused, requireRunning } from './require-running.ts';
import { updateRecord } from './update-record.ts';

/** `docker pause`: freezes every process of the container. */
export async function pauseContainer(job: Job, containerRef: string): Promise<void> {
  const container = job.containers.resolve(containerRef);
  await job.containers.lock.run(container.id, async () => {
    requireRunning(container);
    if (isPaused(container)) throw new EngineError('Conflict', `Container ${container.id} is already paused`);
    await job.containerd.tasks.pause(container.id);
    stopHealthChecks(container);
    await setPaused(job, container, true);
  });
  emitContainerEvent(job, container, { action: 'pause' });
}

/** `docker unpause`: lets them go on. */
export async function unpauseContainer(job: Job, containerRef: string): Promise<void> {
  const container = job.containers.resolve(containerRef);
  await job.containers.lock.run(container.id, async () => {
    if (!isPaused(container)) throw new EngineError('Conflict', `Container ${container.id} is not paused`);
    await job.containerd.tasks.resume(container.id);
    await setPaused(job, container, false);
    resumeHealthChecks(job, container);
  });
  emitContainerEvent(job, container, { action: 'unpause' });
}

async function setPaused(job: Job, container: Container, isFrozen: boolean): Promise<void> {
  const { state } = container.record;
  if (state.status === 'running')
    await updateRecord(job, container, { state: { ...state, isPaused: isFrozen } });
}
