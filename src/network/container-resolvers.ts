import { isIPv4 } from 'node:net';

import { messageOf } from '../errors.ts';
import { toEngineError } from '../host/errors.ts';
import type { NetnsEntry } from '../host/netns.ts';
import type { Logger } from '../logger.ts';
import { resolverRules } from './resolver-rules.ts';
import type { Neighbours } from './dns-names.ts';
import { startDnsServer, type DnsServer } from './dns-server.ts';
import type { Sandboxes } from './sandboxes.ts';
import type { SandboxRequest } from './types.ts';

/** The resolvers of the containers on users' networks: one in each of their namespaces. */
export interface ContainerResolvers {
  /** Where containers find theirs. */
  readonly address: string;
  serves(containerId: string): boolean;
  /** Starts the container's where it is on a user's network. */
  open(request: SandboxRequest, netnsPath: string): void;
  /** As `open`, for a sandbox that is on another network now. */
  update(containerId: string, netnsPath: string): Promise<void>;
  close(containerId: string): void;
  closeAll(): void;
}

/** What resolvers are made of. */
export interface ResolverOptions {
  readonly netns: NetnsEntry;
  readonly sandboxes: Sandboxes;
  /** For other names, unless the container brings its own. */
  readonly upstream: readonly string[];
  /** `redirectResolver` for a namespace that has never been on a user's network. */
  readonly prepare: (netnsPath: string) => Promise<void>;
  readonly log: Logger;
}

const resolverAddress = '127.0.0.11';
/** Above the ports that the kernel hands out, so that no connection of the container's own is in the way. */
const resolverPort = 61_053;

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
  const { netns, sandboxes, upstream, prepare, log } = options;
  const servers = new Map<string, DnsServer>();
  const chosen = new Map<string, readonly string[]>();
  const needs = (containerId: string): boolean =>
    sandboxes.endpointsOf(containerId).some(({ dnsNames }) => dnsNames.length > 0);
  const start = (containerId: string, netnsPath: string): void => {
    try {
      const server = startDnsServer({
        netns,
        netnsPath,
        address: resolverAddress,
        port: resolverPort,
        neighbours: () => neighboursOf(sandboxes, containerId),
        upstream: chosen.get(containerId) ?? upstream,
      });
      servers.set(containerId, server);
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
      const own = nameServers.filter((one) => isIPv4(one) && one !== resolverAddress);
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
    closeAll() {
      for (const containerId of [...servers.keys()]) close(containerId);
    },
  };
}

function neighboursOf(sandboxes: Sandboxes, containerId: string): Neighbours {
  return sandboxes
    .endpointsOf(containerId)
    .filter(({ dnsNames }) => dnsNames.length > 0)
    .map(({ networkId, links }) => ({ links, members: [...sandboxes.membersOf(networkId).values()] }));
}
