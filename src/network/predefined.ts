import { createRandomId } from '../lib/random-id.ts';
import { formatHostnameFile, formatHostsFile } from './hosts-file.ts';
import { parseSubnet } from './ipv4.ts';
import type { Foundation, NetworkState } from './network-state.ts';
import { formatResolvConf, formatResolverConf, type ResolverConfig } from './resolv-conf.ts';
import type { BridgePlace } from './bridge-places.ts';
import type {
  ContainerFiles,
  ContainerFilesRequest,
  Endpoint,
  EndpointRequest,
  NetworkFacts,
  Sandbox,
} from './types.ts';

/** The three networks that every job has, under Docker's names. */
export type PredefinedNetworks = Readonly<Record<'bridge' | 'host' | 'none', NetworkFacts>>;

/** Facts of the predefined networks of a job. */
export function predefinedNetworks(
  { ids, createdAt }: NetworkState,
  { bridge }: Foundation,
): PredefinedNetworks {
  const plain = {
    createdAt,
    isPredefined: true,
    ipRange: '',
    auxAddresses: {},
    hasChosenSubnet: false,
    isInternal: false,
    isAttachable: false,
    options: {},
    labels: {},
  } as const;
  const placeless = { ...plain, subnet: '', gateway: '', bridgeName: '' };
  return {
    bridge: {
      ...plain,
      id: ids.bridge,
      name: 'bridge',
      driver: 'bridge',
      subnet: bridge.subnet,
      gateway: bridge.gateway,
      bridgeName: bridge.name,
    },
    host: { ...placeless, id: ids.host, name: 'host', driver: 'host' },
    none: { ...placeless, id: ids.none, name: 'none', driver: 'null' },
  };
}

/** A new endpoint on a network that gives no address: `host` and `none`. */
export function createPlacelessEndpoint({ id, name }: NetworkFacts): Endpoint {
  return {
    networkId: id,
    networkName: name,
    endpointId: createRandomId(),
    macAddress: '',
    ipAddress: '',
    prefixLength: 0,
    gateway: '',
    interfaceName: '',
    gwPriority: 0,
    dnsNames: [],
    links: [],
  };
}

/** A new endpoint at a place on a bridge. */
export function createEndpoint(
  network: NetworkFacts,
  place: BridgePlace,
  request: EndpointRequest,
): Endpoint {
  return {
    networkId: network.id,
    networkName: network.name,
    endpointId: createRandomId(),
    macAddress: place.macAddress,
    ipAddress: place.address,
    prefixLength: parseSubnet(network.subnet).prefixLength,
    gateway: network.isInternal ? '' : network.gateway,
    interfaceName: place.interfaceName,
    gwPriority: request.gwPriority,
    dnsNames: network.isPredefined ? [] : request.dnsNames,
    links: network.isPredefined ? [] : request.links,
    ...(place.ipv6 ? { ipv6: place.ipv6 } : {}),
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
  const addresses = Object.values(sandbox.endpoints).flatMap(({ ipAddress, ipv6 }) =>
    [ipAddress, ipv6?.address ?? ''].filter((one) => one !== ''),
  );
  const overrides = { nameServers: request.dns, search: request.dnsSearch, options: request.dnsOptions };
  const resolvConf = sandbox.hasResolver
    ? formatResolverConf({ ...resolvers, nameServers: sandbox.nameServers }, overrides)
    : formatResolvConf({ ...resolvers, nameServers: sandbox.nameServers }, overrides);
  return {
    hosts: formatHostsFile({ ...request, addresses, gateway }),
    hostname: formatHostnameFile(request.hostname),
    resolvConf,
  };
}
