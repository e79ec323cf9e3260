import { isIP } from 'node:net';

import { messageOf } from '../errors.ts';
import { toEngineError } from '../host/errors.ts';
import type { NetnsEntry } from '../host/netns.ts';
import type { Logger } from '../logger.ts';
import { resolverRules } from './resolver-rules.ts';
import type { Neighbours } from './dns-names.ts';
import { startDnsServer, type DnsServer } from './dns-server.ts';
import { createUpstreamHistory, type Upstream } from './dns-upstreams.ts';
import { gatewayOf, type Sandboxes } from './sandboxes.ts';
import type { SandboxRequest } from './types.ts';

/** The resolvers of the containers on users' networks: one in each of their namespaces. Where only the host can ask its servers, every container has one, and so has the job. */
export interface ContainerResolvers {
  /** Where containers find theirs. */
  readonly address: string;
  serves(containerId: string): boolean;
  /** Starts the container's where it is on a user's network. */
  open(request: SandboxRequest, netnsPath: string): void;
  /** As `open`, for a sandbox that is on another network now. */
  update(containerId: string, netnsPath: string): Promise<void>;
  close(containerId: string): void;
  /** Starts that of the job's own namespace, for who asks for names there. */
  openJob(): Promise<void>;
  closeAll(): void;
}

/** What resolvers are made of. */
export interface ResolverOptions {
  readonly netns: NetnsEntry;
  readonly sandboxes: Sandboxes;
  /** The job's own namespace. */
  readonly netnsPath: string;
  /** For other names, unless the container brings its own. */
  readonly upstream: HostUpstream;
  /** `redirectResolver` for a namespace that has never been on a user's network. */
  readonly prepare: (netnsPath: string) => Promise<void>;
  readonly log: Logger;
}

/** The servers of the host that names are asked of. */
export interface HostUpstream {
  /** Asked from the container's namespace: its walls are theirs. */
  readonly direct: readonly string[];
  /** Asked by berth for those who have a way out; empty where nobody may have one. */
  readonly relayed: readonly string[];
  /** The namespace that these are asked from. */
  readonly hostNetns: string;
}

/** True where nobody but the host can ask its servers, so that who is to know names needs a resolver. */
export function needsRelay({ direct, relayed }: Pick<HostUpstream, 'direct' | 'relayed'>): boolean {
  return direct.length === 0 && relayed.length > 0;
}

const resolverAddress = '127.0.0.11';
/** Above the ports that the kernel hands out, so that no connection of the container's own is in the way. */
const resolverPort = 61_053;
/** No container has this id. */
const jobKey = 'job';

/** Makes a namespace find its resolver on port 53. */
export async function redirectResolver(netns: NetnsEntry, netnsPath: string): Promise<void> {
  const socket = netns.netlink(netnsPath, 'netfilter');
  try {
    await socket.request(resolverRules({ address: resolverAddress, port: resolverPort }));
  } catch (error) {
    throw toEngineError(error, 'cannot redirect names to their resolver');
  } finally {
    socket.close();
  }
}

/** No resolvers yet. */
export function createContainerResolvers(options: ResolverOptions): ContainerResolvers {
  const { sandboxes, upstream, prepare, log } = options;
  const servers = new Map<string, DnsServer>();
  const chosen = new Map<string, readonly string[]>();
  const servesAll = needsRelay(upstream);
  const serve = createServing(options);
  const needs = (containerId: string): boolean =>
    sandboxes.endpointsOf(containerId).some(({ dnsNames }) => servesAll || dnsNames.length > 0);
  const start = (containerId: string, netnsPath: string): void => {
    try {
      const upstreams = (): readonly Upstream[] =>
        upstreamsOf(options, { containerId, netnsPath, chosen: chosen.get(containerId) });
      servers.set(
        containerId,
        serve(netnsPath, () => neighboursOf(sandboxes, containerId), upstreams),
      );
    } catch (error) {
      log.error({ containerId, error: messageOf(error) }, 'container has no resolver');
    }
  };
  const close = (containerId: string): void => {
    servers.get(containerId)?.close();
    servers.delete(containerId);
  };
  return {
    address: resolverAddress,
    serves: (containerId) => servers.has(containerId),
    open({ containerId, nameServers }, netnsPath) {
      const own = nameServers.filter((one) => isIP(one) !== 0 && one !== resolverAddress);
      if (own.length > 0) chosen.set(containerId, own);
      if (needs(containerId)) start(containerId, netnsPath);
    },
    async update(containerId, netnsPath) {
      if (servers.has(containerId) || !needs(containerId)) return;
      await prepare(netnsPath);
      start(containerId, netnsPath);
    },
    close(containerId) {
      close(containerId);
      chosen.delete(containerId);
    },
    async openJob() {
      const { netnsPath } = options;
      await prepare(netnsPath);
      const upstreams = (): readonly Upstream[] => hostUpstreams(upstream, netnsPath);
      servers.set(
        jobKey,
        serve(netnsPath, () => [], upstreams),
      );
    },
    closeAll() {
      for (const containerId of [...servers.keys()]) close(containerId);
    },
  };
}

type Serve = (
  netnsPath: string,
  neighbours: () => Neighbours,
  upstreams: () => readonly Upstream[],
) => DnsServer;

/** Servers that remember together who says nothing. */
function createServing({ netns }: ResolverOptions): Serve {
  const history = createUpstreamHistory();
  const place = { netns, address: resolverAddress, port: resolverPort, history };
  return (netnsPath, neighbours, upstreams) => startDnsServer({ ...place, netnsPath, neighbours, upstreams });
}

interface Asker {
  readonly containerId: string;
  readonly netnsPath: string;
  readonly chosen: readonly string[] | undefined;
}

function upstreamsOf(
  { sandboxes, upstream }: ResolverOptions,
  { containerId, netnsPath, chosen }: Asker,
): readonly Upstream[] {
  if (chosen)
    return chosen.map((address) => ({
      address,
      netnsPath,
      isRelayed: false,
      key: `${containerId}/${address}`,
    }));
  // Names are a way out, too: who has no other has not this one either.
  return gatewayOf(sandboxes.endpointsOf(containerId)) ? hostUpstreams(upstream, netnsPath) : [];
}

function hostUpstreams({ direct, relayed, hostNetns }: HostUpstream, netnsPath: string): readonly Upstream[] {
  return [
    ...direct.map((address) => ({ address, netnsPath, isRelayed: false, key: address })),
    ...relayed.map((address) => ({
      address,
      netnsPath: hostNetns,
      isRelayed: true,
      key: `host/${address}`,
    })),
  ];
}

function neighboursOf(sandboxes: Sandboxes, containerId: string): Neighbours {
  return sandboxes
    .endpointsOf(containerId)
    .filter(({ dnsNames }) => dnsNames.length > 0)
    .map(({ networkId, links }) => ({ links, members: [...sandboxes.membersOf(networkId).values()] }));
}
