import { EngineError } from '../errors.ts';
import { createRandomId } from '../lib/random-id.ts';
import { checkPool } from './check-pool.ts';
import type { NetworkFacts, NetworkRequest } from './types.ts';

/** A network that is nothing but a configuration: it has no bridge, and nothing of it is in use until a network is made from it. */
export function planConfiguration(request: NetworkRequest, createdAt: string): NetworkFacts {
  const { name, subnet, gateway, ipRange, auxAddresses, ipv6, options, labels } = request;
  const pool = { subnet, gateway, ipRange, auxAddresses };
  for (const one of [pool, ...(ipv6 ? [ipv6] : [])]) checkPool(one);
  return {
    id: createRandomId(),
    name,
    driver: 'null',
    createdAt,
    subnet: '',
    gateway: '',
    bridgeName: '',
    isPredefined: false,
    ipRange: '',
    auxAddresses: {},
    hasChosenSubnet: false,
    isInternal: false,
    isAttachable: false,
    options,
    labels,
    configuration: { ...pool, ...(ipv6 ? { ipv6 } : {}) },
  };
}

/** The request with what the configuration that it names says; NotFound in dockerd's words where there is none of that name. */
export function applyConfiguration(
  request: NetworkRequest,
  networks: readonly NetworkFacts[],
): NetworkRequest {
  const { configFrom } = request;
  if (configFrom === '') return request;
  const found = networks.find(({ name, configuration }) => name === configFrom && configuration);
  if (!found?.configuration)
    throw new EngineError(
      'NotFound',
      `configuration network ${JSON.stringify(configFrom.slice(0, 200))} does not exist`,
    );
  return { ...request, ...found.configuration, options: found.options, labels: found.labels };
}

/** PermissionDenied in dockerd's words while networks made from the configuration are there. */
export function refuseUsedConfiguration({ name }: NetworkFacts, networks: readonly NetworkFacts[]): void {
  if (networks.some(({ configFrom }) => configFrom === name))
    throw new EngineError(
      'PermissionDenied',
      `error while removing network: configuration network ${JSON.stringify(name)} is in use`,
    );
}
