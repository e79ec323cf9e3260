import { randomInt } from 'node:crypto';

import { EngineError } from '../errors.ts';
import { readNetSetting, writeNetSetting } from '../host/net-settings.ts';
import type { NetnsEntry } from '../host/netns.ts';
import type { Logger } from '../logger.ts';
import type { Egress } from './egress.ts';
import { permitForwarding } from './forward-permit.ts';
import { createBridgeMac } from './mac-address.ts';
import type { Subnet } from './ipv4.ts';
import { sharedNetnsPath, isolatedNetnsPath } from './names.ts';
import { expectSuccess, type NetTools, type Place } from './net-tools.ts';
import { bindNetns, createNetnsFile, type MountCalls } from './netns-file.ts';
import type { Foundation } from './network-state.ts';
import {
  bridgeTable,
  uplinkTable,
  type BridgeRules,
  type EgressRules,
  type PortRules,
} from './rule-tables.ts';
import {
  freeBridges,
  freeUplinks,
  gatewayWithPrefix,
  routedBlocks,
  singleBlocks,
  subnetText,
  type BridgeSlot,
  type Taken,
  type UplinkSlot,
} from './slots.ts';
import type { NetworkPlace } from './types.ts';

/** What laying and removing a job's ground needs. */
export interface Ground {
  readonly tools: NetTools;
  readonly libc: MountCalls;
  readonly netns: NetnsEntry;
  readonly log: Logger;
  readonly slug: string;
  /** `berth-<slug>`. */
  readonly mark: string;
  readonly runDir: string;
  /** Namespace the uplinks lead to. */
  readonly hostNetns: string;
  readonly uplinkPools: readonly string[];
  readonly egress: Egress;
  /** IPv4 resolvers that containers may always reach. */
  readonly resolvers: readonly string[];
}

const isolatedBridge = 'docker0';
const isolatedUplink = 'uplink';

/** Lays the ground of a job that has none: its namespace, its default bridge, its way out. What a failure leaves, the broom removes. */
export async function layFoundation(ground: Ground, choice: NetworkPlace): Promise<Foundation> {
  return choice.kind === 'isolated' ? layIsolated(ground) : layShared(ground, choice);
}

/** Puts the job's rules in force, again or for the first time: the policy may have changed since. */
export async function applyRules(ground: Ground, foundation: Foundation): Promise<void> {
  const { tools, mark } = ground;
  const inside: Place = { netns: foundation.netnsPath };
  const { bridge, uplink } = foundation;
  const rules = applyBridgeRules(ground, foundation, {
    bridges: [defaultBridgeRules(foundation)],
    ports: [],
  });
  if (uplink === undefined) {
    await rules;
    enableForwarding(ground, foundation.netnsPath);
    await permitForwarding(tools, inside, { link: bridge.name, mark });
    return;
  }
  enableForwarding(ground, ground.hostNetns);
  ground.netns.run(foundation.netnsPath, () => {
    writeNetSetting('ip_forward', '1');
  });
  const exit: EgressRules = { egress: ground.egress, resolvers: ground.resolvers };
  await Promise.all([
    rules,
    tools.nft('host', uplinkTable(mark, uplink, exit)),
    permitForwarding(tools, 'host', { link: uplink.hostLink, mark }),
  ]);
}

/** What the rules of the bridges' namespace are about. */
export interface BridgeState {
  readonly bridges: readonly BridgeRules[];
  readonly ports: readonly PortRules[];
}

/** The default bridge for the rules. */
export function defaultBridgeRules({ bridge }: Foundation): BridgeRules {
  return { name: bridge.name, subnet: bridge.subnet, isInternal: false, hasMasquerade: true };
}

/** Replaces the rules of the namespace that the bridges are in. */
export async function applyBridgeRules(
  ground: Ground,
  { netnsPath, uplink }: Foundation,
  state: BridgeState,
): Promise<void> {
  const exit = uplink ? {} : { exit: { egress: ground.egress, resolvers: ground.resolvers } };
  await ground.tools.nft({ netns: netnsPath }, bridgeTable({ mark: ground.mark, ...state, ...exit }));
}

/** Lets ports that are published on loopback lead over the bridge; the rules must be in force already. */
export function routeLoopback(netns: NetnsEntry, netnsPath: string, bridgeName: string): void {
  netns.run(netnsPath, () => {
    writeNetSetting(`conf/${bridgeName}/route_localnet`, '1');
  });
}

async function layIsolated(ground: Ground): Promise<Foundation> {
  const { tools, mark, slug } = ground;
  const netnsPath = isolatedNetnsPath(slug);
  const inside: Place = { netns: netnsPath };
  const [taken] = await Promise.all([takenOn(tools, 'host'), makeJobNetns(ground, netnsPath)]);
  const slot = firstOf(freeBridges({ names: new Set(), blocks: singleBlocks(ground.resolvers) }));
  const bridge = { name: isolatedBridge, subnet: subnetText(slot), gateway: slot.gateway };
  const uplink = await addUplink(ground, inside, taken);
  const foundation: Foundation = { kind: 'isolated', netnsPath, bridge, uplink };
  await Promise.all([
    tools.ip(inside, [
      ...bridgeLines(isolatedBridge, slot, mark),
      `link set ${isolatedUplink} addrgenmode none up`,
      `addr add ${uplink.jobAddress}/31 dev ${isolatedUplink}`,
      `route add default via ${uplink.hostAddress} dev ${isolatedUplink}`,
    ]),
    applyRules(ground, foundation),
  ]);
  // Last, and so after the rules: the link never carries what they would have dropped.
  await tools.ip('host', [
    `addr add ${uplink.hostAddress}/31 dev ${uplink.hostLink}`,
    `link set ${uplink.hostLink} addrgenmode none alias ${mark} up`,
  ]);
  return foundation;
}

// Not by `ip netns add`: the first one on a machine mounts the directory of all namespaces on itself, for good.
async function makeJobNetns({ tools }: Ground, path: string): Promise<void> {
  await createNetnsFile(path);
  expectSuccess(await tools.ipInNew(path, ['link set lo up']), 'ip');
}

async function addUplink(ground: Ground, inside: Place, taken: Taken): Promise<UplinkSlot> {
  const { tools, hostNetns, uplinkPools } = ground;
  for (const slot of freeUplinks(uplinkPools, taken, randomInt(1 << 30))) {
    const added = await tools.run(
      inside,
      ['ip', '-batch', '-'],
      `link add ${isolatedUplink} type veth peer name ${slot.hostLink} netns ${hostNetns}\n`,
    );
    if (added.stderr.includes('File exists')) continue;
    expectSuccess(added, 'ip');
    return slot;
  }
  throw new EngineError('Unavailable', 'no free addresses for the uplink of a job');
}

async function layShared(
  ground: Ground,
  choice: Exclude<NetworkPlace, { kind: 'isolated' }>,
): Promise<Foundation> {
  const { tools, libc, runDir, mark } = ground;
  const netnsPath = sharedNetnsPath(runDir);
  await createNetnsFile(netnsPath);
  bindNetns(libc, choice.kind === 'path' ? choice.path : ground.hostNetns, netnsPath);
  const inside: Place = { netns: netnsPath };
  const taken = await takenOn(tools, inside);
  const blocks = [...taken.blocks, ...singleBlocks(ground.resolvers)];
  for (const slot of freeBridges({ ...taken, blocks })) {
    const name = slot.sharedName;
    const added = await tools.run(inside, ['ip', 'link', 'add', name, 'type', 'bridge']);
    if (added.stderr.includes('File exists')) continue;
    expectSuccess(added, 'ip');
    const bridge = { name, subnet: subnetText(slot), gateway: slot.gateway };
    const foundation: Foundation = { kind: choice.kind, netnsPath, bridge };
    await tools.ip(inside, [`link set ${name} alias ${mark}`]);
    await applyRules(ground, foundation);
    await tools.ip(inside, bridgeLines(name, slot, mark).slice(1));
    return foundation;
  }
  throw new EngineError('Unavailable', 'no free subnet for the default bridge');
}

/** Makes a bridge. Without a hardware address of its own it would take that of its lowest port, and change it under its neighbours. */
export function bridgeLines(name: string, slot: BridgeSlot, mark: string): readonly string[] {
  return [
    `link add ${name} type bridge`,
    `link set ${name} address ${createBridgeMac()} addrgenmode none alias ${mark}`,
    `addr add ${gatewayWithPrefix(slot)} brd + dev ${name}`,
    `link set ${name} up`,
  ];
}

/** Blocks that a namespace has routes to. */
export async function takenBlocks({ tools }: Ground, netnsPath: string): Promise<readonly Subnet[]> {
  return (await takenOn(tools, { netns: netnsPath })).blocks;
}

async function takenOn(tools: NetTools, place: Place): Promise<Taken> {
  const [links, routes] = await Promise.all([
    tools.show(place, ['link', 'show']),
    tools.show(place, ['-4', 'route', 'show', 'table', 'all']),
  ]);
  return {
    names: new Set(links.flatMap(({ ifname }) => ifname ?? [])),
    blocks: routedBlocks(routes.flatMap(({ dst }) => dst ?? [])),
  };
}

function firstOf<T>(values: Iterable<T>): T {
  for (const value of values) return value;
  throw new EngineError('Unavailable', 'no free subnet for the default bridge');
}

// Left on at the end: whoever came to rely on it since would lose it.
function enableForwarding({ netns, log }: Ground, netnsPath: string): void {
  const wasOff = netns.run(netnsPath, () => {
    if (readNetSetting('ip_forward') === '1') return false;
    writeNetSetting('ip_forward', '1');
    return true;
  });
  if (wasOff) log.warn('ip forwarding was off on the host and is on from now on');
}
