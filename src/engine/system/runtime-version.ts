import type { Job } from '../job.ts';

/** What `runc --version` says of itself. */
export interface RuntimeVersion {
  readonly version: string;
  /** Empty where the build does not say. */
  readonly commit: string;
}

/** Asks the OCI runtime for its version. */
export async function runtimeVersion(job: Job): Promise<RuntimeVersion> {
  const { stdout } = await job.processes.run(['runc', '--version'], { timeoutMs: 5_000 });
  return {
    version: /^runc version (\S+)/m.exec(stdout)?.[1] ?? '',
    commit: /^commit: (\S+)/m.exec(stdout)?.[1] ?? '',
  };
}
