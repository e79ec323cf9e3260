import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ContainerRecord } from '../../state/container.ts';
import type { Job } from '../job.ts';

/** A container's own files on the host; the id is ours, 64 hex digits. */
export interface ContainerPaths {
  /** Removed with the container. */
  readonly stateDir: string;
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** Where a container's files are. */
export function containerPaths(job: Job, id: string): ContainerPaths {
  const stateDir = join(job.paths.stateDir, 'containers', id);
  return {
    stateDir,
    hosts: join(stateDir, 'hosts'),
    hostname: join(stateDir, 'hostname'),
    resolvConf: join(stateDir, 'resolv.conf'),
  };
}

/** A container's cgroup: always below the job's, so that the job's budget holds for all of them. */
export function containerCgroup(job: Job, { id, hostConfig }: ContainerRecord): string {
  return join(job.cgroupPath, groupOf(hostConfig.CgroupParent), id);
}

/**
 * The cgroup that containers with one `CgroupParent` share, below the job's; empty for none. What a client wrote never
 * becomes a name on the host, so the group's is a digest of it.
 */
function groupOf(cgroupParent: string): string {
  const parts = cgroupParent.split('/').filter((part) => !['', '.', '..'].includes(part));
  if (parts.length === 0) return '';
  return `group-${createHash('sha256').update(parts.join('/')).digest('hex').slice(0, 16)}`;
}
