import { EngineError, limitReached, messageOf } from '../errors.ts';
import type { KeyedLock } from '../lib/keyed-lock.ts';
import { hasSix } from './kernel-links.ts';
import { createBridgePlaces, type NetnsOptions } from './bridge-places.ts';
import { cutHostBits } from './check-pool.ts';
import { applyConfiguration, planConfiguration, refuseUsedConfiguration } from './configurations.ts';
import { bridgeSpec, routeLoopback, takenBlocks, type Ground } from './foundation.ts';
import { permitForwarding, withdrawForwarding } from './forward-permit.ts';
import { openIpv6Exit } from './ipv6-exit.ts';
import { parseSubnet, type Subnet } from './ipv4.ts';
import { parseIpv6Block } from './ipv6.ts';
import type { InterfaceAddress } from './link-messages.ts';
import { bridgeNameOf, hasMasquerade, mtuOf } from './network-options.ts';
import type { Foundation } from './network-state.ts';
import { planNetwork } from './plan-network.ts';
import type { PredefinedNetworks } from './predefined.ts';
import type { BridgeRules } from './rule-tables.ts';
import type { LiveNetwork } from './sandboxes.ts';
import type { Ipv6Facts, NetworkFacts, NetworkRequest } from './types.ts';

/** The networks of a job that have a bridge. */
export interface NetworkRegistry {
  /** The predefined ones and the users'. */
  readonly networks: readonly NetworkFacts[];
  /** By name or id; NotFound in dockerd's words, also for a network without a bridge; PermissionDenied for a configuration. */
  find(networkRef: string): LiveNetwork;
  /** The default bridge and the users' networks, for the rules. */
  bridges(): readonly BridgeRules[];
  create(request: NetworkRequest): Promise<NetworkFacts>;
  /** The caller has seen that nobody is on it. */
  remove(networkId: string): Promise<void>;
  stop(): Promise<void>;
}

/** What the registry stands on. */
export interface RegistryOptions extends NetnsOptions {
  readonly ground: Ground;
  readonly foundation: Foundation;
  readonly predefined: PredefinedNetworks;
  /** What an earlier process of the job left. */
  readonly users: readonly NetworkFacts[];
  /** How many there may be besides the predefined ones. */
  readonly maxNetworks: number;
  readonly warmSize: number;
  /** Rules of a new namespace on a user's network. */
  readonly prepare: (path: string) => Promise<void>;
  /** One on the default bridge gets them, too. */
  readonly preparesAll: boolean;
  readonly lock: KeyedLock;
  /** Stores the users' networks. */
  readonly store: (users: readonly NetworkFacts[]) => Promise<void>;
  /** Puts the rules in force that `bridges` tells. */
  readonly updateRules: () => Promise<void>;
}

/** What a registry holds. */
interface Holdings {
  /** Those with a bridge of a user's. */
  readonly users: Map<string, LiveNetwork>;
  readonly configurations: Map<string, NetworkFacts>;
  readonly departures: Departures;
  /** Of the users. */
  readonly facts: () => readonly NetworkFacts[];
  /** The predefined ones, and the users'. */
  readonly all: () => readonly NetworkFacts[];
}

/** The networks of a job as they were left. */
export function createNetworkRegistry(options: RegistryOptions): NetworkRegistry {
  const { predefined, lock } = options;
  const holdings = createHoldings(options);
  const { users, departures } = holdings;
  const bridge = live(options, predefined.bridge);
  return {
    get networks() {
      return holdings.all();
    },
    find(networkRef) {
      const all = holdings.all();
      const fact = all.find(({ id }) => id === networkRef) ?? all.find(({ name }) => name === networkRef);
      if (fact?.configuration)
        throw new EngineError('PermissionDenied', 'cannot create endpoint on configuration-only network');
      const network = fact && (fact.id === bridge.facts.id ? bridge : users.get(fact.id));
      if (!network) throw new EngineError('NotFound', `network ${networkRef} not found`);
      return network;
    },
    bridges: () => [bridge, ...users.values()].map((network) => rulesOf(network.facts)),
    create: (request) => lock.run('networks', () => create(options, holdings, request)),
    remove: (networkId) => lock.run('networks', () => remove(options, holdings, networkId)),
    async stop() {
      for (const network of [bridge, ...users.values()]) await network.places.stop();
      await departures.finish();
    },
  };
}

function createHoldings(options: RegistryOptions): Holdings {
  const users = new Map<string, LiveNetwork>();
  const configurations = new Map<string, NetworkFacts>();
  for (const user of options.users)
    if (user.configuration) configurations.set(user.id, user);
    else users.set(user.id, live(options, user));
  const facts = (): NetworkFacts[] => [
    ...[...users.values()].map((network) => network.facts),
    ...configurations.values(),
  ];
  const all = (): NetworkFacts[] => [...Object.values(options.predefined), ...facts()];
  return { users, configurations, departures: createDepartures(options), facts, all };
}

async function create(
  options: RegistryOptions,
  { users, configurations, departures, facts, all }: Holdings,
  sent: NetworkRequest,
): Promise<NetworkFacts> {
  const request = sent.mayHaveHostBits === true ? cutHostBits(sent) : sent;
  if (all().some(({ name }) => name === request.name))
    throw new EngineError('Conflict', `network with name ${request.name} already exists`);
  if (users.size + configurations.size >= options.maxNetworks)
    throw limitReached('networks', options.maxNetworks);
  if (request.isConfigOnly) {
    const made = planConfiguration(request, timestamp());
    configurations.set(made.id, made);
    await options.store(facts());
    return made;
  }
  const asked = applyConfiguration(request, all());
  const planned = await plan(options, { asked, networks: all(), departures });
  const leadsOut = await leadOut(options, planned);
  const made = planned.ipv6 ? { ...planned, ipv6: { ...planned.ipv6, leadsOut } } : planned;
  await addBridge(options, made, async () => {
    users.set(made.id, live(options, made));
    await options.updateRules();
    await options.store(facts());
  }).catch(async (error: unknown) => {
    users.delete(made.id);
    await options.updateRules();
    throw error;
  });
  return made;
}

async function remove(
  options: RegistryOptions,
  { users, configurations, departures, facts }: Holdings,
  networkId: string,
): Promise<void> {
  const configuration = configurations.get(networkId);
  if (configuration) {
    refuseUsedConfiguration(configuration, facts());
    configurations.delete(networkId);
    await options.store(facts());
    return;
  }
  const network = users.get(networkId);
  if (!network) throw new EngineError('NotFound', `network ${networkId} not found`);
  users.delete(networkId);
  await network.places.stop();
  await Promise.all([options.updateRules(), options.store(facts())]);
  departures.begin(network.facts);
}

interface Planning {
  readonly asked: NetworkRequest;
  readonly networks: readonly NetworkFacts[];
  readonly departures: Departures;
}

async function plan(
  { ground, foundation, links }: RegistryOptions,
  { asked, networks, departures }: Planning,
): Promise<NetworkFacts> {
  if (asked.ipv6 && !hasSix())
    throw new EngineError('NotImplemented', 'IPv6 networks need a kernel with IPv6');
  const { netnsPath, uplink } = foundation;
  const isNamed = bridgeNameOf(asked) !== '';
  if (asked.subnet !== '' || isNamed) await departures.finish();
  const own = uplink ? [parseSubnet(`${uplink.jobAddress}/31`), ...departures.subnets()] : [];
  const blocks = uplink ? { taken: own, takenIpv6: [] } : await takenBlocks(ground, netnsPath);
  // A name of a client's is for the job's own namespace alone.
  const linkNames = isNamed && uplink ? (await links.survey(netnsPath)).names : undefined;
  return planNetwork(asked, {
    ...blocks,
    isShared: !uplink,
    networks,
    createdAt: timestamp(),
    ...(linkNames ? { linkNames } : {}),
  });
}

function timestamp(): string {
  return new Date().toISOString().replace('Z', '000000Z');
}

/** Bridges that nobody is on any more; the kernel takes its time to remove one, and nobody has to wait for it. */
interface Departures {
  begin(network: NetworkFacts): void;
  /** What is not to be given to another network yet. */
  subnets(): readonly Subnet[];
  finish(): Promise<void>;
}

function createDepartures({ ground, links, foundation, log }: RegistryOptions): Departures {
  const leaving = new Map<NetworkFacts, Promise<void>>();
  return {
    begin(network) {
      const { bridgeName: link } = network;
      const { netnsPath, uplink } = foundation;
      const removal = links
        .removeLink(netnsPath, link)
        .then(async () => {
          if (uplink) return;
          await withdrawForwarding(ground.tools, { netns: netnsPath }, { mark: ground.mark, link });
        })
        .catch((error: unknown) => {
          log.warn({ networkId: network.id, error: messageOf(error) }, 'bridge of a removed network remains');
        })
        .finally(() => leaving.delete(network));
      leaving.set(network, removal);
    },
    subnets: () => [...leaving.keys()].map(({ subnet }) => parseSubnet(subnet)),
    async finish() {
      await Promise.all(leaving.values());
    },
  };
}

function live(options: RegistryOptions, facts: NetworkFacts): LiveNetwork {
  // Made ahead, an address would be taken that a user may choose for another container.
  const isChosen = facts.hasChosenSubnet || facts.ipv6?.hasChosenSubnet === true;
  const warmSize = isChosen ? 0 : options.warmSize;
  const prepare = facts.isPredefined && !options.preparesAll ? {} : { prepare: options.prepare };
  return { facts, places: createBridgePlaces({ ...options, ...prepare, network: facts, warmSize }) };
}

/** A network as the rules see it. */
export function rulesOf(facts: NetworkFacts): BridgeRules {
  const { bridgeName: name, subnet, isInternal, ipv6 } = facts;
  const ipv6Subnet = ipv6 ? { ipv6Subnet: ipv6.subnet } : {};
  return { name, subnet, ...ipv6Subnet, isInternal, hasMasquerade: hasMasquerade(facts) };
}

/** What the network needs besides its bridge to lead out of the job; answers whether its IPv6 does. */
export async function leadOut(
  { ground, foundation }: Pick<RegistryOptions, 'ground' | 'foundation'>,
  network: NetworkFacts,
): Promise<boolean> {
  const { bridgeName: link, ipv6, isInternal } = network;
  if (isInternal) return false;
  const leadsOut = ipv6 !== undefined && (await openIpv6Exit(ground, foundation));
  if (foundation.uplink) return leadsOut;
  const families = leadsOut ? (['ip', 'ip6'] as const) : (['ip'] as const);
  await permitForwarding(
    ground.tools,
    { netns: foundation.netnsPath },
    { link, mark: ground.mark, families },
  );
  return leadsOut;
}

async function addBridge(
  { ground, foundation, links }: RegistryOptions,
  made: NetworkFacts,
  use: () => Promise<void>,
): Promise<void> {
  const { bridgeName: name, gateway } = made;
  const slot = { gateway, subnet: parseSubnet(made.subnet), sharedName: name };
  const spec = bridgeSpec(slot, { name, alias: ground.mark, mtu: mtuOf(made) });
  const six = made.ipv6 ? [ipv6GatewayOf(made.ipv6), bridgeLinkLocal] : [];
  await links.addBridge(foundation.netnsPath, { ...spec, addresses: [...spec.addresses, ...six] });
  try {
    await use();
    routeLoopback(ground.netns, foundation.netnsPath, name);
  } catch (error) {
    await links.removeLink(foundation.netnsPath, name);
    throw error;
  }
}

// What neighbours are asked from where a bridge forwards; dockerd's.
const bridgeLinkLocal = { address: 'fe80::1', prefixLength: 64 };

function ipv6GatewayOf({ subnet, gateway }: Ipv6Facts): InterfaceAddress {
  return { address: gateway, prefixLength: parseIpv6Block(subnet).prefixLength };
}
