import { BERTH_VERSION } from '../../version.ts';
import type { ComponentVersion, SystemVersion } from '../../wire/system-version.ts';
import type { Job } from '../job.ts';

/** What the HTTP side knows of its own versions. */
export interface ApiVersions {
  readonly newest: string;
  readonly oldest: string;
}

async function containerdComponent(job: Job): Promise<ComponentVersion> {
  const { version, revision } = await job.containerd.version.version();
  return { Name: 'containerd', Version: version, Details: { GitCommit: revision } };
}

async function runcComponent(job: Job): Promise<ComponentVersion> {
  const { version, commit } = await job.runtimeVersion();
  return { Name: 'runc', Version: version, Details: { GitCommit: commit } };
}

/** Versions of berth and of what it runs on; a part that does not answer is left out. */
export async function systemVersion(job: Job, api: ApiVersions): Promise<SystemVersion> {
  const { host } = job;
  const parts = await Promise.allSettled([containerdComponent(job), runcComponent(job)]);
  const facts = {
    Version: BERTH_VERSION,
    ApiVersion: api.newest,
    MinAPIVersion: api.oldest,
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: host.architecture,
    KernelVersion: host.kernelVersion,
    BuildTime: '',
  };
  const { Version, ...details } = facts;
  return {
    Platform: { Name: 'berth' },
    Components: [
      { Name: 'Engine', Version, Details: { ...details, Experimental: 'false' } },
      ...parts.flatMap((part) => (part.status === 'fulfilled' ? [part.value] : [])),
    ],
    ...facts,
  };
}
