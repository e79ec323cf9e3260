import type { Settings } from '../config/schema.ts';
import type { Logger } from '../logger.ts';
import { createJobNetwork } from '../network/job-network.ts';
import type { JobNetwork } from '../network/types.ts';
import type { JobNames } from './job-names.ts';
import type { HostTools } from './remove-traces.ts';

/** Lays the job's network, or takes over what an earlier process of it laid. */
export function openNetwork(
  settings: Settings,
  { names, host, log }: { readonly names: JobNames; readonly host: HostTools; readonly log: Logger },
): Promise<JobNetwork> {
  const opening = createJobNetwork({
    slug: names.slug,
    stateDir: names.paths.stateDir,
    runDir: names.paths.runDir,
    choice: settings.network,
    egress: { kind: settings.egress, allow: settings.egressAllow },
    maxNetworks: settings.limits.networks,
    maxPorts: settings.limits.ports,
    log,
    processes: host.processes,
    libc: host.libc,
  });
  // Awaited later: a failure before that is no unhandled one.
  opening.catch(() => undefined);
  return opening;
}
