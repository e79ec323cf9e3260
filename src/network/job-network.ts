import { openNetnsEntry } from '../host/netns.ts';
import type { HostProcesses } from '../host/types.ts';
import type { Logger } from '../logger.ts';
import type { Egress } from './egress.ts';
import { coalesce } from './coalesce.ts';
import {
  applyBridgeRules,
  applyRules,
  defaultBridgeRules,
  layFoundation,
  routeLoopback,
  type Ground,
} from './foundation.ts';
import { hostResolverFiles, readHostResolvers } from './host-resolvers.ts';
import { jobMark, netnsDirectory, unclaimedPrefix, sandboxPath } from './names.ts';
import { createNetTools, type NetTools } from './net-tools.ts';
import { holdsNetns, listNetnsFiles, removeNetnsFile, type MountCalls } from './netns-file.ts';
import {
  createNetworkState,
  readNetworkState,
  writeNetworkState,
  type Foundation,
  type NetworkState,
} from './network-state.ts';
import { containerFiles, createEndpoint, predefinedNetworks } from './predefined.ts';
import { createPublishedPorts, type PublishedPorts } from './published-ports.ts';
import { reapNetwork } from './reap-network.ts';
import type { ResolverConfig } from './resolv-conf.ts';
import { createSandboxes, type Sandboxes } from './sandboxes.ts';
import type { Endpoint, JobNetwork, NetworkPlace, PublishedPort, Sandbox } from './types.ts';

/** What a job's network is made of. The slug is the job's id in letters that are safe in names and paths. */
export interface JobNetworkOptions {
  readonly slug: string;
  /** `<root>/jobs/<job>`. */
  readonly stateDir: string;
  /** `<run-dir>/<job>`. */
  readonly runDir: string;
  readonly choice: NetworkPlace;
  readonly log: Logger;
  readonly processes: HostProcesses;
  readonly libc: MountCalls;
  /** Default: public addresses only. */
  readonly egress?: Egress;
  /** Where uplinks get their addresses from, first choice first; blocks the host has routes to are passed over. */
  readonly uplinkPools?: readonly string[];
  /** Path of the namespace that the uplinks lead to; default is berth's own. */
  readonly hostNetns?: string;
  /** The host's resolv.conf, and the one with the servers behind a local stub. */
  readonly resolvConfFiles?: readonly string[];
  /** How many containers' namespaces are kept ready, once the first was asked for. */
  readonly warmSandboxes?: number;
}

const defaultPools = ['198.18.0.0/15', '10.231.0.0/16', '192.168.231.0/24'];

/** Opens the job's network: takes over what an earlier process of the job left whole, or sets it up anew. */
export async function createJobNetwork(options: JobNetworkOptions): Promise<JobNetwork> {
  const { slug, runDir, stateDir, libc, log, processes, hostNetns } = options;
  const tools = createNetTools(processes, hostNetns);
  const [resolvers, stored] = await Promise.all([
    readHostResolvers(options.resolvConfFiles ?? hostResolverFiles),
    readNetworkState(stateDir),
  ]);
  const netns = await openNetnsEntry();
  const ground: Ground = {
    tools,
    netns,
    libc,
    log,
    slug,
    mark: jobMark(slug),
    runDir,
    hostNetns: hostNetns ?? `/proc/${process.pid}/ns/net`,
    uplinkPools: options.uplinkPools ?? defaultPools,
    egress: options.egress ?? { kind: 'internet', allow: [] },
    resolvers: resolvers.nameServers,
  };
  const reap = (): Promise<readonly string[]> => reapNetwork({ slug, runDir, processes, libc, hostNetns });
  const state = await openState(ground, { options, stored: stored ?? createNetworkState(new Date()), reap });
  const sandboxes = createSandboxes({
    tools,
    libc,
    runDir,
    log,
    foundation: state.foundation,
    warmSize: options.warmSandboxes ?? 2,
  });
  const ports = createPublishedPorts({
    netns,
    netnsPath: state.foundation.netnsPath,
    addressOf: (containerId) => sandboxes.addressOf(containerId),
  });
  const updateRules = coalesce(() =>
    applyBridgeRules(ground, state.foundation, {
      bridges: [defaultBridgeRules(state.foundation)],
      ports: ports.rules(),
    }),
  );
  routeLoopback(netns, state.foundation.netnsPath, state.foundation.bridge.name);
  return jobNetwork({ runDir, state, sandboxes, resolvers, ports, updateRules, reap });
}

type LaidState = NetworkState & { readonly foundation: Foundation };

interface Opening {
  readonly options: JobNetworkOptions;
  readonly stored: NetworkState;
  readonly reap: () => Promise<readonly string[]>;
}

async function openState(ground: Ground, { options, stored, reap }: Opening): Promise<LaidState> {
  const { choice, stateDir } = options;
  const found = stored.foundation;
  try {
    if (found?.kind === choice.kind && (await isWhole(ground.tools, found))) {
      await dropUnclaimed(ground);
      await applyRules(ground, found);
      return { ...stored, foundation: found };
    }
    const left = await reap();
    if (left.length > 0) ground.log.warn({ left }, 'traces of an earlier network of the job remain');
    const { version, createdAt, ids } = stored;
    await writeNetworkState(stateDir, { version, createdAt, ids });
    const state = { version, createdAt, ids, foundation: await layFoundation(ground, choice) };
    await writeNetworkState(stateDir, state);
    return state;
  } catch (error) {
    await reap();
    throw error;
  }
}

async function isWhole(tools: NetTools, { netnsPath, bridge, uplink }: Foundation): Promise<boolean> {
  if (!(await holdsNetns(netnsPath))) return false;
  const has = async (place: Parameters<NetTools['show']>[0], name: string): Promise<boolean> =>
    (await tools.show(place, ['link', 'show'])).some(({ ifname }) => ifname === name);
  const present = [has({ netns: netnsPath }, bridge.name)];
  if (uplink) present.push(has('host', uplink.hostLink));
  return (await Promise.all(present)).every(Boolean);
}

// Made ahead by a process that is gone: their addresses are not known any more.
async function dropUnclaimed({ runDir, libc }: Ground): Promise<void> {
  const files = await listNetnsFiles(netnsDirectory(runDir));
  for (const path of files.filter((one) => one.includes(`/${unclaimedPrefix}`)))
    await removeNetnsFile(libc, path);
}

interface Parts {
  readonly runDir: string;
  readonly state: LaidState;
  readonly sandboxes: Sandboxes;
  readonly resolvers: ResolverConfig;
  readonly ports: PublishedPorts;
  readonly updateRules: () => Promise<void>;
  readonly reap: () => Promise<readonly string[]>;
}

function jobNetwork(parts: Parts): JobNetwork {
  const { runDir, state, sandboxes, resolvers, ports, updateRules, reap } = parts;
  const { netnsPath, bridge } = state.foundation;
  const facts = predefinedNetworks(state, state.foundation);
  const sandbox = (path: string, endpoint: Endpoint, published: readonly PublishedPort[] = []): Sandbox => ({
    netnsPath: path,
    endpoints: { [endpoint.networkName]: endpoint },
    nameServers: resolvers.nameServers,
    ports: published,
  });
  return {
    netnsPath,
    networks: Object.values(facts),
    sandboxPath: ({ containerId, mode }) =>
      mode.kind === 'job' ? netnsPath : sandboxPath(runDir, containerId),
    async openSandbox(request) {
      const { containerId, mode } = request;
      switch (mode.kind) {
        case 'job':
          return sandbox(netnsPath, createEndpoint(facts.host));
        case 'none':
          return sandbox(await sandboxes.openEmpty(containerId), createEndpoint(facts.none));
        case 'bridge': {
          const place = await sandboxes.openOnBridge(containerId, mode.macAddress);
          const endpoint = createEndpoint(facts.bridge, place);
          const published = ports.publish(request, request.ports, endpoint.endpointId);
          if (published.length > 0) await updateRules();
          return sandbox(place.path, endpoint, published);
        }
      }
    },
    async adoptSandbox(request, traces) {
      const { containerId, mode } = request;
      const { endpoints } = traces;
      const fact = facts[mode.kind === 'job' ? 'host' : mode.kind];
      const endpoint = endpoints[fact.name];
      if (endpoint?.networkId !== fact.id) return undefined;
      if (mode.kind === 'job') return sandbox(netnsPath, endpoint);
      const path = await sandboxes.adopt(
        containerId,
        mode.kind === 'bridge' ? endpoint.ipAddress : undefined,
      );
      if (path === undefined) return undefined;
      const published = ports.adopt(request, traces.ports);
      if (published.length > 0) await updateRules();
      return sandbox(path, endpoint, published);
    },
    containerFiles: (open, request) => containerFiles(open, request, { gateway: bridge.gateway, resolvers }),
    async closeSandbox(containerId) {
      const hadRules = ports.release(containerId);
      if (hadRules) await updateRules();
      await sandboxes.close(containerId);
    },
    async close() {
      ports.close();
      await sandboxes.stop();
      return reap();
    },
  };
}
