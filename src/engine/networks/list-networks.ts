import { ShapeError } from '../../errors.ts';
import type { NetworkFacts } from '../../network/types.ts';
import type { Network } from '../../wire/network.ts';
import {
  booleanFilter,
  checkFilterNames,
  matchesExactly,
  matchesLabels,
  matchesPattern,
  type Filters,
} from '../filters.ts';
import type { Job } from '../job.ts';
import { describeNetwork } from './describe-network.ts';
import { networkUsers } from './network-users.ts';

/** Filters of `GET /networks`. */
export const NETWORK_FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];
const TYPES = ['builtin', 'custom'];

/** `GET /networks`; the list never names containers, inspect does. */
export function listNetworks(job: Job, filters: Filters): readonly Network[] {
  const isDangling = checkNetworkFilters(filters);
  const isAsked = (network: NetworkFacts): boolean =>
    isDangling === undefined ||
    isDangling === (!network.isPredefined && networkUsers(job, network).length === 0);
  return job.network.networks
    .filter((network) => matches(network, filters) && isAsked(network))
    .map((network) => describeNetwork(network, []));
}

/** Throws for filters that `GET /networks` refuses; answers what is asked of `dangling`. */
export function checkNetworkFilters(filters: Filters): boolean | undefined {
  checkFilterNames(filters, NETWORK_FILTERS);
  for (const type of filters.get('type') ?? [])
    if (!TYPES.includes(type)) throw new ShapeError(`invalid filter: 'type'='${type}'`);
  return danglingFilter(filters);
}

function danglingFilter(filters: Filters): boolean | undefined {
  try {
    return booleanFilter(filters, 'dangling');
  } catch (cause) {
    throw new ShapeError(
      `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
      {
        cause,
      },
    );
  }
}

function matches(network: NetworkFacts, filters: Filters): boolean {
  return (
    matchesPattern(filters, 'name', network.name) &&
    matchesPattern(filters, 'id', network.id) &&
    matchesExactly(filters, 'driver', network.driver) &&
    matchesExactly(filters, 'scope', 'local') &&
    matchesExactly(filters, 'type', network.isPredefined ? 'builtin' : 'custom') &&
    matchesLabels(filters, network.labels)
  );
}
