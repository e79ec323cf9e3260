import { EngineError } from '../../errors.ts';
import type { Container, ContainerRun } from '../../state/container.ts';

/** The live parts of a running container; Conflict `Container <id> is not running` otherwise. */
export function requireRunning(container: Container): ContainerRun {
  if (!container.run) throw new EngineError('Conflict', `Container ${container.id} is not running`);
  return container.run;
}

/** True while the container's processes are frozen. */
export function isPaused(container: Container): boolean {
  const { state } = container.record;
  return state.status === 'running' && state.isPaused;
}
