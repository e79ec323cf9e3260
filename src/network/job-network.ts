import {
  holdsNamespace,
  listNamespaceFiles,
  removeNamespaceFile,
  type MountCalls,
} from '../host/namespace-file.ts';
import { openNetnsEntry } from '../host/netns.ts';
import type { HostProcesses } from '../host/types.ts';
import { createKeyedLock } from '../lib/keyed-lock.ts';
import type { Logger } from '../logger.ts';
import { coalesce } from './coalesce.ts';
import {
  createContainerResolvers,
  needsRelay,
  redirectResolver,
  type ContainerResolvers,
  type HostUpstream,
} from './container-resolvers.ts';
import type { Egress } from './egress.ts';
import { applyRules, defaultBridgeRules, layFoundation, routeLoopback, type Ground } from './foundation.ts';
import { hostResolverFiles, readHostResolvers } from './host-resolvers.ts';
import { openIpv6Exit } from './ipv6-exit.ts';
import { jobNetwork } from './job-sandboxes.ts';
import { createKernelLinks } from './kernel-links.ts';
import { isUserBridge, jobMark, netnsDirectory, unclaimedPrefix } from './names.ts';
import { createNetTools, type NetTools } from './net-tools.ts';
import { createNetworkRegistry, leadOut, rulesOf, type NetworkRegistry } from './network-registry.ts';
import {
  createNetworkState,
  readNetworkState,
  writeNetworkState,
  type Foundation,
  type NetworkState,
} from './network-state.ts';
import { openUrl, type UrlAccess } from './open-url.ts';
import { predefinedNetworks } from './predefined.ts';
import { createPublishedPorts } from './published-ports.ts';
import { createRuleKeeper } from './rule-keeper.ts';
import type { BridgeRules } from './rule-tables.ts';
import { reapNetwork } from './reap-network.ts';
import type { HostResolvers } from './resolv-conf.ts';
import { createSandboxes, gatewayOf } from './sandboxes.ts';
import type { JobNetwork, NetworkFacts, NetworkPlace } from './types.ts';

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
  /** How many networks and published ports there may be; default is no limit. */
  readonly maxNetworks?: number;
  readonly maxPorts?: number;
}

const defaultPools = ['198.18.0.0/15', '10.231.0.0/16', '192.168.231.0/24'];

/** Opens the job's network: takes over what an earlier process of the job left whole, or sets it up anew. */
export async function createJobNetwork(options: JobNetworkOptions): Promise<JobNetwork> {
  const { slug, runDir, stateDir, libc, log, processes, hostNetns } = options;
  const [resolvers, stored] = await Promise.all([
    readHostResolvers(options.resolvConfFiles ?? hostResolverFiles),
    readNetworkState(stateDir),
  ]);
  const netns = await openNetnsEntry();
  const tools = createNetTools(processes, netns, hostNetns);
  const ground: Ground = {
    tools,
    netns,
    links: createKernelLinks(netns, libc),
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
  if (resolvers.areGuessed)
    log.warn({ nameServers: resolvers.nameServers }, 'the host names no resolver: public ones are asked');
  const state = await openState(ground, { options, stored: stored ?? createNetworkState(new Date()), reap });
  return openParts(ground, { options, state, resolvers, reap });
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
      await dropDeparted(ground, found, stored);
      await applyRules(ground, found, bridgesOf(found, stored));
      for (const network of bridged(stored)) await leadOut({ ground, foundation: found }, network);
      return { ...stored, foundation: found };
    }
    const left = await reap();
    if (left.length > 0) ground.log.warn({ left }, 'traces of an earlier network of the job remain');
    // The users' networks went with what they stood on.
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
  if (!(await holdsNamespace(netnsPath))) return false;
  const has = async (place: Parameters<NetTools['show']>[0], name: string): Promise<boolean> =>
    (await tools.show(place, ['link', 'show'])).some(({ ifname }) => ifname === name);
  const present = [has({ netns: netnsPath }, bridge.name)];
  if (uplink) present.push(has('host', uplink.hostLink));
  return (await Promise.all(present)).every(Boolean);
}

// Made ahead by a process that is gone: their addresses are not known any more.
async function dropUnclaimed({ runDir, libc }: Ground): Promise<void> {
  const files = await listNamespaceFiles(netnsDirectory(runDir));
  for (const path of files.filter((one) => one.includes(`/${unclaimedPrefix}`)))
    await removeNamespaceFile(libc, path);
}

function bridgesOf(foundation: Foundation, state: NetworkState): readonly BridgeRules[] {
  return [defaultBridgeRules(foundation), ...bridged(state).map(rulesOf)];
}

function bridged({ networks = [] }: NetworkState): readonly NetworkFacts[] {
  return networks.filter(({ configuration }) => !configuration);
}

// Bridges of networks that were being removed when the last process ended. In a namespace with others' links they are
// the broom's: there a name alone does not say whose they are.
async function dropDeparted(
  { links, tools, mark }: Ground,
  { netnsPath, uplink, bridge }: Foundation,
  state: NetworkState,
): Promise<void> {
  if (!uplink) return;
  const known = new Set([bridge.name, ...bridged(state).map(({ bridgeName }) => bridgeName)]);
  const all = await tools.show({ netns: netnsPath }, ['link', 'show', 'type', 'bridge']);
  const departed = all.flatMap(({ ifname: name = '', ifalias }) =>
    (isUserBridge(name) || ifalias === mark) && !known.has(name) ? [name] : [],
  );
  await Promise.all(departed.map((name) => links.removeLink(netnsPath, name)));
}

interface Opened {
  readonly options: JobNetworkOptions;
  readonly state: LaidState;
  readonly resolvers: HostResolvers;
  readonly reap: () => Promise<readonly string[]>;
}

async function openParts(ground: Ground, { options, state, resolvers, reap }: Opened): Promise<JobNetwork> {
  const { netns, libc, runDir, log } = ground;
  const { foundation } = state;
  const { netnsPath } = foundation;
  const places = { links: ground.links, libc, runDir, log, netnsPath };
  const sandboxes = createSandboxes(places);
  const prepare = (path: string): Promise<void> => redirectResolver(netns, path);
  const upstream = upstreamOf(ground, resolvers);
  const addressOf = (containerId: string): string | undefined =>
    gatewayOf(sandboxes.endpointsOf(containerId))?.ipAddress;
  const ports = createPublishedPorts({
    netns,
    netnsPath,
    addressOf,
    maxPorts: options.maxPorts ?? Infinity,
  });
  const present = { bridges: bridgesOf(foundation, state), ports: [] };
  const rules = createRuleKeeper({ netns, netnsPath, table: ground.mark, present });
  const updateRules = coalesce(() => rules.update({ bridges: registry.bridges(), ports: ports.rules() }));
  const registry: NetworkRegistry = createNetworkRegistry({
    ...places,
    ground,
    foundation,
    predefined: predefinedNetworks(state, foundation),
    users: state.networks ?? [],
    maxNetworks: options.maxNetworks ?? Infinity,
    warmSize: options.warmSandboxes ?? 2,
    prepare,
    preparesAll: needsRelay(upstream),
    lock: createKeyedLock(),
    store: (networks) => writeNetworkState(options.stateDir, { ...state, networks }),
    updateRules,
  });
  routeLoopback(netns, netnsPath, foundation.bridge.name);
  const dns = createContainerResolvers({ netns, netnsPath, sandboxes, upstream, prepare, log });
  const jobServers = await jobNameServers(foundation, { dns, resolvers, upstream });
  const urls = urlAccess(ground, foundation);
  return jobNetwork({
    ...{ runDir, foundation, sandboxes, registry, ports, dns, resolvers, jobServers, updateRules, reap },
    openUrl: (url, signal) => openUrl(urls, url, signal),
  });
}

function urlAccess(ground: Ground, foundation: Foundation): UrlAccess {
  const { netns, egress } = ground;
  const isIsolated = foundation.kind === 'isolated';
  return {
    netns,
    netnsPath: foundation.netnsPath,
    egress,
    hasRules: isIsolated,
    // A namespace with others in it has the ways out that they gave it.
    openIpv6Exit: async () => isIsolated && openIpv6Exit(ground, foundation),
  };
}

function upstreamOf({ egress, hostNetns }: Ground, { nameServers, hostOnly }: HostResolvers): HostUpstream {
  return { direct: nameServers, relayed: egress.kind === 'none' ? [] : hostOnly, hostNetns };
}

interface JobNames {
  readonly dns: ContainerResolvers;
  readonly resolvers: HostResolvers;
  readonly upstream: HostUpstream;
}

/** Whom processes in the job's own namespace ask for names. */
async function jobNameServers(
  { kind }: Foundation,
  { dns, resolvers, upstream }: JobNames,
): Promise<readonly string[]> {
  // Such a namespace is somebody's who has ways of his own.
  if (kind !== 'isolated') return [...resolvers.nameServers, ...resolvers.hostOnly];
  if (!needsRelay(upstream)) return resolvers.nameServers;
  await dns.openJob();
  return [dns.address];
}
