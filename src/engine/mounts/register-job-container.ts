import { EngineError } from '../../errors.ts';
import type { JobContainer } from '../../state/job-container-store.ts';
import type { Job } from '../job.ts';
import { pidOf } from './find-job-process.ts';

/** How the runner names its main container. */
export type JobContainerRef = { readonly namespace: string; readonly id: string } | { readonly pid: number };

/** What containerd takes as a namespace or an id. */
const IDENTIFIER = /^[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*$/;
const MAX_IDENTIFIER = 76;

/** Takes the runner's word for who the job container is: from now on host paths mean its files. It must run, in a mount namespace of its own. */
export async function registerJobContainer(job: Job, asked: JobContainerRef): Promise<JobContainer> {
  const container = await toJobContainer(job, asked);
  const pid = await pidOf(job, container);
  if (pid === undefined) throw new EngineError('Conflict', 'the job container does not run');
  await (await job.rootfs.openProcess(pid, { isConfined: false })).close();
  await job.jobContainer.set(container);
  job.log.info({ container }, 'job container registered');
  return container;
}

async function toJobContainer(job: Job, asked: JobContainerRef): Promise<JobContainer> {
  if ('pid' in asked) {
    if (!Number.isSafeInteger(asked.pid) || asked.pid <= 0)
      throw new EngineError('InvalidArgument', `invalid pid: ${asked.pid}`);
    const process = await job.processes.identify(asked.pid);
    if (!process) throw new EngineError('NotFound', `no such process: ${asked.pid}`);
    return { kind: 'process', ...process };
  }
  const { namespace, id } = asked;
  for (const [what, name] of Object.entries({ namespace, id }))
    if (!IDENTIFIER.test(name) || name.length > MAX_IDENTIFIER)
      throw new EngineError('InvalidArgument', `invalid ${what}: ${JSON.stringify(name.slice(0, 200))}`);
  await job.containerd.inNamespace(namespace).containers.get(id);
  return { kind: 'containerd', namespace, id };
}
