import { availableParallelism, totalmem } from 'node:os';
import type { Settings } from '../config/schema.ts';
import type { HostCgroups } from '../host/types.ts';
import type { Budget } from '../policy/gate-context.ts';

/** Makes the job's cgroup with the limits that the operator set, and answers what the job may use in the end. */
export async function openBudget(
  settings: Pick<Settings, 'memoryBytes' | 'cpus' | 'pids'>,
  cgroups: HostCgroups,
  cgroupPath: string,
): Promise<Budget> {
  const { memoryBytes, cpus } = settings;
  await cgroups.create(cgroupPath);
  // Without the controller there is nothing to keep the default with; what an operator asks for is another matter.
  const pids = cgroups.controllers.includes('pids') ? settings.pids : undefined;
  await cgroups.limit(cgroupPath, { memoryBytes, cpus, pids });
  const limits = await cgroups.limitsOf(cgroupPath);
  return {
    memoryBytes: Math.min(limits.memoryBytes ?? Infinity, totalmem()),
    cpus: Math.min(limits.cpus ?? Infinity, availableParallelism()),
    pids: limits.pids,
    cpuset: await cgroups.cpusetOf(cgroupPath),
  };
}
