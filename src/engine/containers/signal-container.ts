import { isErrorKind } from '../../errors.ts';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { emitContainerEvent } from './emit-container-event.ts';

/** Sends a signal to a container's init process; a process that has just ended is no error. */
export async function signalContainer(job: Job, container: Container, signal: number): Promise<void> {
  // By ourselves where we can: containerd's way starts runc, which is nine tenths of the time from a kill to the end.
  if (!signalDirectly(job, container, signal)) await signalByContainerd(job, container, signal);
  emitContainerEvent(job, container, { action: 'kill', attributes: { signal: String(signal) } });
}

/** A frozen one is left to containerd, which knows how its runtime wakes what is to die. */
function signalDirectly(job: Job, { id, record: { state } }: Container, signal: number): boolean {
  if (state.status !== 'running' || state.isPaused) return false;
  return job.signals.send({ pid: state.pid, cgroupName: id }, signal);
}

async function signalByContainerd(job: Job, { id }: Container, signal: number): Promise<void> {
  try {
    await job.containerd.tasks.kill({ containerId: id, signal });
  } catch (error) {
    if (!isErrorKind(error, 'NotFound')) throw error;
  }
}
