import { EngineError } from '../../errors.ts';
import type { Container, ContainerRun } from '../../state/container.ts';

/** The live parts of a running container; Conflict `Container <id> is not running` (or `is restarting`) otherwise. */
export function requireRunning(container: Container): ContainerRun {
  if (container.record.state.status === 'restarting')
    throw new EngineError(
      'Conflict',
      `Container ${container.id} is restarting, wait until the container is running`,
    );
  if (!container.run) throw new EngineError('Conflict', `Container ${container.id} is not running`);
  return container.run;
}

/** True while the container runs, and between two runs of its restart policy: what dockerd counts as running. */
export function isLive({ record: { state } }: Container): boolean {
  return state.status === 'running' || state.status === 'restarting';
}

/** True while the container's processes are frozen. */
export function isPaused(container: Container): boolean {
  const { state } = container.record;
  return state.status === 'running' && state.isPaused;
}
