import { join } from 'node:path';
import type { Settings } from '../config/schema.ts';
import type { Containerd } from '../containerd/types.ts';
import { readHostFacts } from '../host/facts.ts';
import type { HostFacts } from '../host/types.ts';
import type { Logger } from '../logger.ts';
import type { Budget } from '../policy/gate-context.ts';
import { adviseOn } from './advisories.ts';
import type { JobNames } from './job-names.ts';
import { openBudget } from './open-budget.ts';
import type { HostTools } from './remove-traces.ts';
import { hostWarnings, requireWalls, selfTest } from './self-test.ts';

/** What the machine is to the job. */
export interface Machine {
  readonly facts: HostFacts;
  readonly budget: Budget;
  /** What is weak about it; Unavailable where it is too weak for what the operator accepts. */
  readonly weaknesses: Promise<readonly string[]>;
}

interface MachineOptions {
  readonly settings: Settings;
  readonly names: JobNames;
  readonly host: HostTools;
  readonly log: Logger;
}

/** Makes the job's cgroup, reads the machine's facts, and begins to look whether containers are held in. */
export async function openMachine(options: MachineOptions): Promise<Machine> {
  const { settings, names, host } = options;
  const budget = await openBudget(settings, host.cgroups, names.cgroupPath);
  const facts = await readHostFacts(host.cgroups);
  const weaknesses = findWeaknesses(options, facts);
  // Awaited later: a failure before that is no unhandled one.
  weaknesses.catch(() => undefined);
  return { facts, budget, weaknesses };
}

async function findWeaknesses(
  { settings, names, host, log }: MachineOptions,
  facts: HostFacts,
): Promise<readonly string[]> {
  const result = await selfTest({
    root: settings.root,
    directory: join(names.paths.runDir, 'self-test'),
    cgroupPath: `${names.cgroupPath}/self-test`,
    processes: host.processes,
    facts,
    log,
  });
  requireWalls(result, settings.acceptWeakHost);
  const warnings = hostWarnings(result);
  for (const warning of warnings) log.warn({ warning }, 'weakness of the host');
  return warnings;
}

/** What is to be said about containerd's version. */
export async function adviseOnContainerd(containerd: Containerd, log: Logger): Promise<readonly string[]> {
  const { version } = await containerd.version.version();
  const advice = adviseOn('containerd', version);
  if (advice === undefined) return [];
  log.warn({ warning: advice }, 'weakness of the host');
  return [advice];
}
