import { isErrorKind } from '../../errors.ts';
import type { Job } from '../job.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { startContainer } from './start-container.ts';
import { stopContainer, type StopOptions } from './stop-container.ts';

/** `docker restart`: stops what runs, then starts. A container with `--rm` survives this stop. */
export async function restartContainer(job: Job, containerRef: string, options: StopOptions): Promise<void> {
  const container = job.containers.resolve(containerRef);
  if (container.run) container.run.isRestartRequested = true;
  try {
    await stopContainer(job, container.id, options);
  } catch (error) {
    if (!isErrorKind(error, 'NotModified')) {
      if (container.run) container.run.isRestartRequested = false;
      throw error;
    }
  }
  await startContainer(job, container.id);
  emitContainerEvent(job, container, { action: 'restart' });
}
