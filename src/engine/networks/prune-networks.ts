import { checkFilterNames, untilFilter, type Filters } from '../filters.ts';
import type { Job } from '../job.ts';

/** `POST /networks/prune`: predefined networks are never pruned, so only the filters are checked. */
export function pruneNetworks(
  job: Job,
  filters: Filters,
): { readonly NetworksDeleted: readonly string[] | null } {
  checkFilterNames(filters, ['label', 'label!', 'until']);
  untilFilter(filters, job.nowNs());
  job.events.emit({ type: 'network', action: 'prune', actorId: '', attributes: { reclaimed: '0' } });
  return { NetworksDeleted: null };
}
