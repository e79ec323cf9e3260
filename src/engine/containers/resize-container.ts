import type { Job } from '../job.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { requireRunning } from './require-running.ts';

/** A terminal's size in characters. */
export interface TerminalSize {
  readonly height: number;
  readonly width: number;
}

/** Sets the size of a running container's terminal. */
export async function resizeContainer(job: Job, containerRef: string, size: TerminalSize): Promise<void> {
  const container = job.containers.resolve(containerRef);
  requireRunning(container);
  await job.containerd.tasks.resizePty({ containerId: container.id, ...size });
  emitContainerEvent(job, container, {
    action: 'resize',
    attributes: { height: String(size.height), width: String(size.width) },
  });
}
