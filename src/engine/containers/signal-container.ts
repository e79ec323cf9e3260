import { isErrorKind } from '../../errors.ts';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { emitContainerEvent } from './emit-container-event.ts';

/** Sends a signal to a container's init process; a process that has just ended is no error. */
export async function signalContainer(job: Job, container: Container, signal: number): Promise<void> {
  try {
    await job.containerd.tasks.kill({ containerId: container.id, signal });
  } catch (error) {
    if (!isErrorKind(error, 'NotFound')) throw error;
  }
  emitContainerEvent(job, container, { action: 'kill', attributes: { signal: String(signal) } });
}
