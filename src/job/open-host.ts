import { join } from 'node:path';
import { createHostCgroups } from '../host/cgroups.ts';
import { loadLibc } from '../host/libc.ts';
import { createHostMounts } from '../host/mounts.ts';
import { createOwnTrees } from '../host/own-trees.ts';
import { createHostProcesses } from '../host/processes.ts';
import type { JobNames } from './job-names.ts';
import type { HostTools } from './remove-traces.ts';

/** The host's parts, for one job: its short-lived mounts are made in its own directory. */
export async function openHost(names: JobNames): Promise<HostTools> {
  const libc = await loadLibc();
  return {
    libc,
    mounts: createHostMounts({ libc, directory: join(names.paths.runDir, 'm') }),
    cgroups: await createHostCgroups(),
    processes: createHostProcesses(),
    trees: createOwnTrees(libc),
  };
}
