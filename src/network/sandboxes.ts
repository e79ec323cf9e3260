import { EngineError } from '../errors.ts';
import { holdsNamespace, removeNamespaceFile } from '../host/namespace-file.ts';
import type { BridgePlaces, NetnsOptions, PlaceRequest } from './bridge-places.ts';
import { parseMacAddress } from './mac-address.ts';
import { sandboxPath } from './names.ts';
import { interfacePrefixOf } from './network-options.ts';
import { createEndpoint } from './predefined.ts';
import type { Endpoint, EndpointRequest, NetworkFacts } from './types.ts';

/** A network that containers can be put on. */
export interface LiveNetwork {
  readonly facts: NetworkFacts;
  readonly places: BridgePlaces;
}

/** A wish for an endpoint with the network it is on. */
export interface Wish {
  readonly network: LiveNetwork;
  readonly request: EndpointRequest;
}

/** The network namespaces of a job's containers. */
export interface Sandboxes {
  /** A namespace with an interface for each wish, or with nothing but loopback; answers its path. */
  open(containerId: string, wishes: readonly Wish[]): Promise<string>;
  /** Takes over what an earlier process opened, with the endpoints it had; undefined when it is gone. */
  adopt(containerId: string, had: readonly Adopted[]): Promise<string | undefined>;
  join(containerId: string, wish: Wish): Promise<void>;
  leave(containerId: string, network: LiveNetwork): Promise<void>;
  rename(containerId: string, dnsNames: Readonly<Record<string, readonly string[]>>): void;
  /** In the order of their interfaces. */
  endpointsOf(containerId: string): readonly Endpoint[];
  /** Everybody on a network, by container. */
  membersOf(networkId: string): ReadonlyMap<string, Endpoint>;
  close(containerId: string): Promise<void>;
  /** Waits for what is being made; opens nothing afterwards. */
  stop(): Promise<void>;
}

/** An endpoint from an earlier process, with its network. */
export interface Adopted {
  readonly network: LiveNetwork;
  readonly endpoint: Endpoint;
}

/** The endpoint that leads out of a container: dockerd's choice. */
export function gatewayOf(endpoints: readonly Endpoint[]): Endpoint | undefined {
  return firstChoice(endpoints.filter(({ gateway }) => gateway !== ''));
}

function firstChoice(endpoints: readonly Endpoint[]): Endpoint | undefined {
  const byChoice = (a: Endpoint, b: Endpoint): number =>
    b.gwPriority - a.gwPriority || (a.networkName < b.networkName ? -1 : 1);
  return [...endpoints].sort(byChoice)[0];
}

/** Who holds what, in this process. */
interface Holdings {
  of(containerId: string): readonly Adopted[];
  set(containerId: string, all: readonly Adopted[]): void;
  drop(containerId: string): void;
  membersOf(networkId: string): ReadonlyMap<string, Endpoint>;
}

interface Context {
  readonly options: NetnsOptions;
  readonly holdings: Holdings;
}

/** The sandboxes of a job, none open: addresses are known in this process only, adoption brings them back. */
export function createSandboxes(options: NetnsOptions): Sandboxes {
  const { libc, runDir } = options;
  const holdings = createHoldings();
  const context = { options, holdings };
  const opening = new Set<Promise<unknown>>();
  let isStopped = false;

  const track = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isStopped) throw new EngineError('Unavailable', 'the network of the job is closing');
    const running = work();
    opening.add(running);
    try {
      return await running;
    } finally {
      opening.delete(running);
    }
  };
  return {
    open: (containerId, wishes) => track(() => openSandbox(context, containerId, wishes)),
    async adopt(containerId, had) {
      const path = sandboxPath(runDir, containerId);
      if (!(await holdsNamespace(path))) return undefined;
      const claimed = had.filter(({ network, endpoint }) => network.places.claim(endpoint));
      holdings.set(containerId, claimed);
      return path;
    },
    join: (containerId, wish) =>
      track(async () => {
        await addInterface(context, containerId, wish);
        await routeOut(context, containerId);
      }),
    leave: (containerId, network) => removeInterface(context, containerId, network),
    rename(containerId, dnsNames) {
      const names = new Map(Object.entries(dnsNames));
      const renamed = holdings.of(containerId).map(({ network, endpoint }) => ({
        network,
        endpoint: {
          ...endpoint,
          dnsNames: network.facts.isPredefined ? [] : (names.get(endpoint.networkName) ?? endpoint.dnsNames),
        },
      }));
      if (renamed.length > 0) holdings.set(containerId, renamed);
    },
    endpointsOf: (containerId) => holdings.of(containerId).map(({ endpoint }) => endpoint),
    membersOf: (networkId) => holdings.membersOf(networkId),
    async close(containerId) {
      await removeNamespaceFile(libc, sandboxPath(runDir, containerId));
      for (const { network, endpoint } of holdings.of(containerId)) network.places.release(endpoint);
      holdings.drop(containerId);
    },
    async stop() {
      isStopped = true;
      await Promise.allSettled(opening);
    },
  };
}

function createHoldings(): Holdings {
  const held = new Map<string, readonly Adopted[]>();
  return {
    of: (containerId) => held.get(containerId) ?? [],
    set(containerId, all) {
      held.set(containerId, all);
    },
    drop(containerId) {
      held.delete(containerId);
    },
    membersOf: (networkId) =>
      new Map(
        [...held].flatMap(([containerId, all]) =>
          all
            .filter(({ network }) => network.facts.id === networkId)
            .map(({ endpoint }) => [containerId, endpoint] as const),
        ),
      ),
  };
}

async function openSandbox(
  context: Context,
  containerId: string,
  [first, ...others]: readonly Wish[],
): Promise<string> {
  const { options, holdings } = context;
  const path = sandboxPath(options.runDir, containerId);
  // What a crash left of this container's last run is in nobody's use.
  await removeNamespaceFile(options.libc, path);
  if (!first) {
    await options.links.createNetns(path, { hasIpv6: false });
    return path;
  }
  const { network, request } = first;
  const place = await network.places.open({ ...wanted(request), path });
  holdings.set(containerId, [{ network, endpoint: createEndpoint(network.facts, place, request) }]);
  for (const wish of others) await addInterface(context, containerId, wish);
  if (others.length > 0) await routeOut(context, containerId);
  return path;
}

async function addInterface(
  context: Context,
  containerId: string,
  { network, request }: Wish,
): Promise<void> {
  const { options, holdings } = context;
  const names = new Set(holdings.of(containerId).map(({ endpoint }) => endpoint.interfaceName));
  const prefix = interfacePrefixOf(network.facts);
  let number = 0;
  while (names.has(`${prefix}${number}`)) number += 1;
  const path = sandboxPath(options.runDir, containerId);
  const place = await network.places.attach({
    ...wanted(request),
    path,
    interfaceName: `${prefix}${number}`,
  });
  const endpoint = createEndpoint(network.facts, place, request);
  holdings.set(containerId, [...holdings.of(containerId), { network, endpoint }]);
}

async function removeInterface(context: Context, containerId: string, { facts }: LiveNetwork): Promise<void> {
  const { options, holdings } = context;
  const gone = holdings.of(containerId).find(({ network }) => network.facts.id === facts.id);
  if (!gone) return;
  await options.links.removeLink(sandboxPath(options.runDir, containerId), gone.endpoint.interfaceName);
  holdings.set(
    containerId,
    holdings.of(containerId).filter((one) => one !== gone),
  );
  gone.network.places.release(gone.endpoint);
  await routeOut(context, containerId);
}

async function routeOut({ options, holdings }: Context, containerId: string): Promise<void> {
  const endpoints = holdings.of(containerId).map(({ endpoint }) => endpoint);
  const path = sandboxPath(options.runDir, containerId);
  const out = gatewayOf(endpoints);
  if (out) await options.links.leadOut(path, out.interfaceName, [out.gateway]);
  // Each family has its own: the network that leads out for one may be without the other.
  const outSix = firstChoice(endpoints.filter(({ ipv6 }) => (ipv6?.gateway ?? '') !== ''));
  if (outSix?.ipv6) await options.links.leadOut(path, outSix.interfaceName, [outSix.ipv6.gateway]);
}

function wanted(request: EndpointRequest): Omit<PlaceRequest, 'path'> {
  const macAddress = request.macAddress && parseMacAddress(request.macAddress);
  const { ipAddress: address, ipv6Address, linkLocalAddresses } = request;
  return { address, ipv6Address, macAddress, linkLocalAddresses };
}
