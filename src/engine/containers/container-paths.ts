import { join } from 'node:path';
import type { Job } from '../job.ts';

/** A container's own files on the host; the id is ours, 64 hex digits. */
export interface ContainerPaths {
  /** Removed with the container. */
  readonly stateDir: string;
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
  /** Below the job's cgroup, in the cgroup tree. */
  readonly cgroup: string;
}

/** Where a container's files are. */
export function containerPaths(job: Job, id: string): ContainerPaths {
  const stateDir = join(job.paths.stateDir, 'containers', id);
  return {
    stateDir,
    hosts: join(stateDir, 'hosts'),
    hostname: join(stateDir, 'hostname'),
    resolvConf: join(stateDir, 'resolv.conf'),
    cgroup: `${job.cgroupPath}/${id}`,
  };
}
