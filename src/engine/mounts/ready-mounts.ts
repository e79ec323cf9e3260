import type { ContainerRecord } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { stageSubpaths } from './stage-subpaths.ts';

/** Sees to it that everything that is mounted in a container is at its place on the host; Internal where it cannot be. */
export async function readyMounts(job: Job, record: ContainerRecord): Promise<void> {
  await stageSubpaths(job, record);
  await job.binds.requireStaged(record.mounts.map(({ hostPath }) => hostPath));
}
