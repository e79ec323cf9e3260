import { EngineError, isErrorKind } from '../../errors.ts';
import type { JobContainer } from '../../state/job-container-store.ts';
import type { Job } from '../job.ts';

/** The process that stands for the job container: its root directory and mounts are the job's view. */
export interface JobProcess {
  readonly container: JobContainer;
  readonly pid: number;
}

/** The job container's process, or undefined while no container is registered; Unavailable when it has ended. */
export async function findJobProcess(job: Job): Promise<JobProcess | undefined> {
  const container = job.jobContainer.get();
  if (!container) return undefined;
  const pid = await pidOf(job, container);
  if (pid === undefined) throw new EngineError('Unavailable', 'the job container does not run');
  return { container, pid };
}

/** Unavailable unless the process is still the one that `findJobProcess` found. */
export async function requireJobProcess(job: Job, { container, pid }: JobProcess): Promise<void> {
  if ((await pidOf(job, container)) !== pid)
    throw new EngineError('Unavailable', 'the job container has ended');
}

/** Pid of a container's process while it runs. */
export async function pidOf(job: Job, container: JobContainer): Promise<number | undefined> {
  if (container.kind === 'process') {
    const isAlive = await job.processes.isAlive(container);
    return isAlive ? container.pid : undefined;
  }
  try {
    const { tasks } = job.containerd.inNamespace(container.namespace);
    const { pid, status } = await tasks.get({ containerId: container.id });
    return status === 'running' || status === 'paused' ? pid : undefined;
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}
