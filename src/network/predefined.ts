import { createRandomId } from '../lib/random-id.ts';
import { formatHostnameFile, formatHostsFile } from './hosts-file.ts';
import { parseSubnet } from './ipv4.ts';
import type { Foundation, NetworkState } from './network-state.ts';
import { formatResolvConf, type ResolverConfig } from './resolv-conf.ts';
import type { BridgePlace } from './bridge-places.ts';
import type { ContainerFiles, ContainerFilesRequest, Endpoint, NetworkFacts, Sandbox } from './types.ts';

/** The three networks that every job has, under Docker's names. */
export type PredefinedNetworks = Readonly<Record<'bridge' | 'host' | 'none', NetworkFacts>>;

/** Facts of the predefined networks of a job. */
export function predefinedNetworks(
  { ids, createdAt }: NetworkState,
  { bridge }: Foundation,
): PredefinedNetworks {
  const placeless = { createdAt, subnet: '', gateway: '', bridgeName: '' };
  return {
    bridge: {
      id: ids.bridge,
      name: 'bridge',
      driver: 'bridge',
      createdAt,
      subnet: bridge.subnet,
      gateway: bridge.gateway,
      bridgeName: bridge.name,
    },
    host: { ...placeless, id: ids.host, name: 'host', driver: 'host' },
    none: { ...placeless, id: ids.none, name: 'none', driver: 'null' },
  };
}

/** A new endpoint on a network; without a place on it where the network gives none. */
export function createEndpoint(network: NetworkFacts, place?: BridgePlace): Endpoint {
  return {
    networkId: network.id,
    networkName: network.name,
    endpointId: createRandomId(),
    macAddress: place?.macAddress ?? '',
    ipAddress: place?.address ?? '',
    prefixLength: place ? parseSubnet(network.subnet).prefixLength : 0,
    gateway: place ? network.gateway : '',
  };
}

/** What container files take from the job rather than from the request. */
export interface FilesContext {
  /** What `host-gateway` stands for. */
  readonly gateway: string;
  readonly resolvers: ResolverConfig;
}

/** Texts of a container's network files. */
export function containerFiles(
  sandbox: Sandbox,
  request: ContainerFilesRequest,
  { gateway, resolvers }: FilesContext,
): ContainerFiles {
  const addresses = Object.values(sandbox.endpoints).flatMap(({ ipAddress }) => ipAddress || []);
  const overrides = { nameServers: request.dns, search: request.dnsSearch, options: request.dnsOptions };
  return {
    hosts: formatHostsFile({ ...request, addresses, gateway }),
    hostname: formatHostnameFile(request.hostname),
    resolvConf: formatResolvConf({ ...resolvers, nameServers: sandbox.nameServers }, overrides),
  };
}
