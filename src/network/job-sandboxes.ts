import { EngineError } from '../errors.ts';
import { holdsNamespace } from '../host/namespace-file.ts';
import type { ContainerResolvers } from './container-resolvers.ts';
import { parseAddress, parseSubnet, subnetContains } from './ipv4.ts';
import { ipv6Contains, parseIpv6, parseIpv6Block } from './ipv6.ts';
import { sandboxPath } from './names.ts';
import { bindingOf } from './network-options.ts';
import type { NetworkRegistry } from './network-registry.ts';
import type { Foundation } from './network-state.ts';
import { containerFiles, createPlacelessEndpoint } from './predefined.ts';
import type { PublishedPorts } from './published-ports.ts';
import type { ResolverConfig } from './resolv-conf.ts';
import { gatewayOf, type Adopted, type Sandboxes, type Wish } from './sandboxes.ts';
import type {
  Endpoint,
  EndpointRequest,
  JobNetwork,
  NetworkFacts,
  PublishedPort,
  Sandbox,
  SandboxMode,
  SandboxRequest,
  SandboxTraces,
} from './types.ts';

/** What the network of a job is put together from. */
export interface Parts {
  readonly runDir: string;
  readonly foundation: Foundation;
  readonly sandboxes: Sandboxes;
  readonly registry: NetworkRegistry;
  readonly ports: PublishedPorts;
  readonly dns: ContainerResolvers;
  readonly resolvers: ResolverConfig;
  /** Whom processes in the job's own namespace ask for names. */
  readonly jobServers: readonly string[];
  readonly updateRules: () => Promise<void>;
  readonly openUrl: JobNetwork['openUrl'];
  readonly reap: () => Promise<readonly string[]>;
}

/** The network of a job over its parts. */
export function jobNetwork(parts: Parts): JobNetwork {
  const { foundation, registry, sandboxes, ports, dns, resolvers, updateRules, reap } = parts;
  const gateway = foundation.bridge.gateway;
  const published = new Map<string, readonly PublishedPort[]>();
  const context = { ...parts, published };
  return {
    netnsPath: foundation.netnsPath,
    openUrl: parts.openUrl,
    get networks() {
      return registry.networks;
    },
    createNetwork: (request) => registry.create(request),
    async removeNetwork(networkId) {
      refuseActive(parts, networkId);
      await registry.remove(networkId);
    },
    rename: (containerId, { containerName, dnsNames }) => {
      ports.rename(containerId, containerName);
      sandboxes.rename(containerId, dnsNames);
    },
    sandboxOf: (containerId) =>
      sandboxes.endpointsOf(containerId).length === 0
        ? undefined
        : describe(context, containerId, sandboxPath(parts.runDir, containerId)),
    sandboxPath: ({ containerId, mode }) => pathOf(parts, containerId, mode),
    openSandbox: (request) => open(context, request),
    adoptSandbox: (request, traces) => adopt(context, request, traces),
    async connect(containerId, request) {
      await sandboxes.join(containerId, wishOf(registry, request));
      return changed(context, containerId);
    },
    async disconnect(containerId, networkId) {
      await sandboxes.leave(containerId, registry.find(networkId));
      return changed(context, containerId);
    },
    containerFiles: (sandbox, request) => containerFiles(sandbox, request, { gateway, resolvers }),
    async closeSandbox(containerId) {
      dns.close(containerId);
      published.delete(containerId);
      if (ports.release(containerId)) await updateRules();
      await sandboxes.close(containerId);
    },
    async close() {
      dns.closeAll();
      ports.close();
      await sandboxes.stop();
      await registry.stop();
      return reap();
    },
  };
}

interface Context extends Parts {
  /** By container. */
  readonly published: Map<string, readonly PublishedPort[]>;
}

function pathOf({ runDir, foundation }: Parts, containerId: string, mode: SandboxMode): string {
  if (mode.kind === 'job') return foundation.netnsPath;
  return sandboxPath(runDir, mode.kind === 'container' ? mode.containerId : containerId);
}

async function open(context: Context, request: SandboxRequest): Promise<Sandbox> {
  const { sandboxes, registry, dns, ports } = context;
  const { containerId, mode } = request;
  const path = pathOf(context, containerId, mode);
  if (mode.kind === 'job') return placeless(context, path, 'host');
  if (mode.kind === 'container') return shared(context, mode.containerId, path);
  if (mode.kind === 'none') return placeless(context, await sandboxes.open(containerId, []), 'none');
  const wishes = mode.endpoints.map((one) => wishOf(registry, one));
  await sandboxes.open(containerId, wishes);
  dns.open(request, path);
  const out = gatewayOf(sandboxes.endpointsOf(containerId));
  const hostIp = out ? bindingOf(registry.find(out.networkId).facts) : '';
  const wanted = request.ports.map((port) => (port.hostIp === '' ? { ...port, hostIp } : port));
  const taken = out ? ports.publish(request, wanted, out.endpointId) : [];
  await keepPublished(context, containerId, taken);
  return describe(context, containerId, path);
}

async function adopt(
  context: Context,
  request: SandboxRequest,
  traces: SandboxTraces,
): Promise<Sandbox | undefined> {
  const { sandboxes, dns, ports } = context;
  const { containerId, mode } = request;
  const path = pathOf(context, containerId, mode);
  if (mode.kind === 'job') return placeless(context, path, 'host');
  if (mode.kind === 'container') return shared(context, mode.containerId, path);
  const adopted = await sandboxes.adopt(containerId, adoptable(context, traces));
  if (adopted === undefined) return undefined;
  if (mode.kind === 'none') return placeless(context, path, 'none');
  dns.open(request, path);
  await keepPublished(context, containerId, ports.adopt(request, traces.ports));
  return describe(context, containerId, path);
}

function wishOf(registry: NetworkRegistry, request: EndpointRequest): Wish {
  const network = registry.find(request.networkRef);
  const { ipAddress } = request;
  const { subnet, hasChosenSubnet } = network.facts;
  if (ipAddress !== '' && !hasChosenSubnet)
    throw new EngineError(
      'InvalidArgument',
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
  if (ipAddress !== '' && !subnetContains(parseSubnet(subnet), parseAddress(ipAddress)))
    throw new EngineError(
      'InvalidArgument',
      `Invalid address ${ipAddress}: It does not belong to any of this network's subnets`,
    );
  refuseIpv6(network.facts, request);
  return { network, request };
}

function refuseIpv6({ ipv6, idleIpv6 }: NetworkFacts, { ipv6Address }: EndpointRequest): void {
  if (ipv6Address === '') return;
  const chosen = ipv6 ? ipv6.hasChosenSubnet && ipv6.subnet : idleIpv6?.subnet;
  if (!chosen)
    throw new EngineError(
      'InvalidArgument',
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
  if (!ipv6Contains(parseIpv6Block(chosen), parseIpv6(ipv6Address)))
    throw new EngineError(
      'InvalidArgument',
      `Invalid address ${ipv6Address}: It does not belong to any of this network's subnets`,
    );
}

async function keepPublished(
  { published, updateRules }: Context,
  containerId: string,
  taken: readonly PublishedPort[],
): Promise<void> {
  published.set(containerId, taken);
  if (taken.length > 0) await updateRules();
}

async function changed(context: Context, containerId: string): Promise<Sandbox> {
  const path = sandboxPath(context.runDir, containerId);
  await context.dns.update(containerId, path);
  if ((context.published.get(containerId) ?? []).length > 0) await context.updateRules();
  return describe(context, containerId, path);
}

function describe(
  { sandboxes, dns, resolvers, published }: Context,
  containerId: string,
  path: string,
): Sandbox {
  const endpoints = sandboxes.endpointsOf(containerId);
  const hasResolver = dns.serves(containerId);
  return {
    netnsPath: path,
    endpoints: Object.fromEntries(endpoints.map((endpoint) => [endpoint.networkName, endpoint])),
    nameServers: hasResolver ? [dns.address] : resolvers.nameServers,
    hasResolver,
    ports: published.get(containerId) ?? [],
  };
}

function placeless({ registry, jobServers }: Parts, path: string, networkName: 'host' | 'none'): Sandbox {
  const facts = registry.networks.find(({ name }) => name === networkName);
  const endpoints = facts ? { [networkName]: createPlacelessEndpoint(facts) } : {};
  return { netnsPath: path, endpoints, nameServers: jobServers, hasResolver: false, ports: [] };
}

async function shared({ jobServers }: Parts, containerId: string, path: string): Promise<Sandbox> {
  if (!(await holdsNamespace(path)))
    throw new EngineError('Conflict', `cannot join network of a non running container: ${containerId}`);
  return {
    netnsPath: path,
    endpoints: {},
    nameServers: jobServers,
    hasResolver: false,
    ports: [],
  };
}

function adoptable({ registry }: Parts, { endpoints }: SandboxTraces): readonly Adopted[] {
  const known = new Map(registry.networks.map((network) => [network.id, network]));
  return Object.values(endpoints)
    .filter((endpoint: Endpoint) => endpoint.ipAddress !== '' && known.has(endpoint.networkId))
    .map((endpoint) => ({ endpoint, network: registry.find(endpoint.networkId) }));
}

function refuseActive({ registry, sandboxes }: Parts, networkId: string): void {
  const members = [...sandboxes.membersOf(networkId).values()];
  if (members.length === 0) return;
  const { facts } = registry.find(networkId);
  const names = members
    .slice(0, 20)
    .map(
      ({ dnsNames, endpointId }) =>
        `name:${JSON.stringify(dnsNames[0] ?? '')} id:"${endpointId.slice(0, 12)}"`,
    );
  throw new EngineError(
    'PermissionDenied',
    `error while removing network: network ${facts.name} has active endpoints (${names.join(', ')})`,
  );
}
