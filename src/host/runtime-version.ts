import type { HostProcesses } from './types.ts';

/** What `runc --version` says of itself. */
export interface RuntimeVersion {
  readonly version: string;
  /** Empty where the build does not say. */
  readonly commit: string;
}

/** Asks the OCI runtime for its version; Unavailable where it cannot be asked. */
export async function readRuntimeVersion(processes: Pick<HostProcesses, 'run'>): Promise<RuntimeVersion> {
  const { stdout } = await processes.run(['runc', '--version'], { timeoutMs: 5_000 });
  return {
    version: /^runc version (\S+)/m.exec(stdout)?.[1] ?? '',
    commit: /^commit: (\S+)/m.exec(stdout)?.[1] ?? '',
  };
}
