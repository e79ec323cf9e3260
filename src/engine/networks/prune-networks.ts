import { isErrorKind } from '../../errors.ts';
import type { NetworkFacts } from '../../network/types.ts';
import { matchesLabels, parseTimestampNs, pruneFilters, type Filters } from '../filters.ts';
import type { Job } from '../job.ts';
import { networkUsers } from './network-users.ts';
import { removeNetwork } from './remove-network.ts';

/** `POST /networks/prune`: removes the users' networks that no container is on, running or not, and that the filters fit; no configurations. */
export async function pruneNetworks(
  job: Job,
  filters: Filters,
): Promise<{ readonly NetworksDeleted: readonly string[] | null }> {
  const untilNs = pruneFilters(filters, job.nowNs());
  const deleted: string[] = [];
  for (const network of job.network.networks.filter((one) => isMeant(job, one, { filters, untilNs })))
    try {
      await removeNetwork(job, network.id);
      deleted.push(network.name);
    } catch (error) {
      // Somebody came first: it is in use now, or gone.
      if (!isErrorKind(error, 'PermissionDenied') && !isErrorKind(error, 'NotFound')) throw error;
    }
  job.events.emit({ type: 'network', action: 'prune', actorId: '', attributes: { reclaimed: '0' } });
  return { NetworksDeleted: deleted.length > 0 ? deleted : null };
}

function isMeant(
  job: Job,
  network: NetworkFacts,
  { filters, untilNs }: { readonly filters: Filters; readonly untilNs: bigint | undefined },
): boolean {
  if (network.isPredefined || network.configuration || !matchesLabels(filters, network.labels)) return false;
  const createdNs = parseTimestampNs(network.createdAt) ?? 0n;
  return (untilNs === undefined || createdNs <= untilNs) && networkUsers(job, network).length === 0;
}
