import { cutHostBits } from './check-pool.ts';
import { planConfiguration } from './configurations.ts';
import { planNetwork } from './plan-network.ts';
import type { NetworkRequest } from './types.ts';

/** Throws for what no job could have: addresses that cannot be, options that mean nothing. Other networks are not looked at. */
export function checkNetworkRequest(sent: NetworkRequest): void {
  const request = sent.mayHaveHostBits === true ? cutHostBits(sent) : sent;
  const createdAt = new Date().toISOString();
  if (request.isConfigOnly) planConfiguration(request, createdAt);
  // The rest is in the configuration that it names.
  else if (request.configFrom === '')
    planNetwork(request, { networks: [], taken: [], takenIpv6: [], isShared: false, createdAt });
}
