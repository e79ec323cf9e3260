import type { Container, ExitStatus } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { isLive } from './require-running.ts';

/** What `POST /containers/{id}/wait` waits for. */
export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** A wait that has begun: the answer's headers can go out now, its body when `status` resolves. */
export interface ContainerWait {
  readonly status: Promise<ExitStatus>;
}

/**
 * Begins to wait; NotFound for an unknown container. `not-running` is answered at once where nothing runs; between two
 * runs of a restart policy it waits for the next end, as dockerd does.
 */
export function waitContainer(job: Job, containerRef: string, condition: WaitCondition): ContainerWait {
  const container = job.containers.resolve(containerRef);
  switch (condition) {
    case 'removed':
      return { status: container.removed.promise };
    case 'next-exit':
      return { status: container.nextExit.promise };
    case 'not-running':
      return {
        status: isLive(container) ? container.nextExit.promise : Promise.resolve(lastExit(container)),
      };
  }
}

/** How the container ended last; 0 for one that never ran, or the code of a start that failed. */
export function lastExit(container: Container): ExitStatus {
  const { state } = container.record;
  switch (state.status) {
    case 'created':
      return { exitCode: state.lastExitCode, finishedAt: '', isOomKilled: false, error: state.lastError };
    case 'running':
      return { exitCode: 0, finishedAt: '', isOomKilled: false, error: '' };
    case 'restarting':
    case 'exited':
    case 'dead':
      return state;
  }
}
