import { randomInt } from 'node:crypto';

import { EngineError, isErrorKind } from '../errors.ts';
import { bindNamespace, createNamespaceFile, type MountCalls } from '../host/namespace-file.ts';
import { readNetSetting, writeNetSetting } from '../host/net-settings.ts';
import type { NetnsEntry } from '../host/netns.ts';
import type { Logger } from '../logger.ts';
import type { Egress } from './egress.ts';
import { permitForwarding, withdrawForwarding } from './forward-permit.ts';
import { createBridgeMac } from './mac-address.ts';
import type { Subnet } from './ipv4.ts';
import { parseIpv6Block, type Ipv6Block } from './ipv6.ts';
import { hasSix, type BridgeSpec, type KernelLinks } from './kernel-links.ts';
import type { InterfaceAddress } from './link-messages.ts';
import { isolatedNetnsName, isolatedNetnsPath, sharedNetnsPath } from './names.ts';
import type { NetTools, Place } from './net-tools.ts';
import { nameNetns } from './netns-file.ts';
import type { Foundation } from './network-state.ts';
import { bridgeTable, uplinkTable, type BridgeRules, type EgressRules } from './rule-tables.ts';
import {
  freeBridges,
  freeUplinks,
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
  readonly links: KernelLinks;
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
/** The job's side of its way out. */
export const isolatedUplink = 'uplink';
const defaultMtu = 1500;

/** Lays the ground of a job that has none: its namespace, its default bridge, its way out. What a failure leaves, the broom removes. */
export async function layFoundation(ground: Ground, choice: NetworkPlace): Promise<Foundation> {
  return choice.kind === 'isolated' ? layIsolated(ground) : layShared(ground, choice);
}

/** Puts the job's rules in force, again or for the first time: the policy may have changed since. */
export async function applyRules(
  ground: Ground,
  foundation: Foundation,
  bridges: readonly BridgeRules[],
): Promise<void> {
  const { tools, mark } = ground;
  const inside: Place = { netns: foundation.netnsPath };
  const { bridge, uplink } = foundation;
  const exit: EgressRules = { egress: ground.egress, resolvers: ground.resolvers };
  const rules = tools.nft(inside, bridgeTable({ mark, bridges, ...(uplink ? {} : { exit }) }));
  if (uplink === undefined) {
    await rules;
    enableForwarding(ground, foundation.netnsPath);
    await permitForwarding(tools, inside, { link: bridge.name, mark, families: ['ip'] });
    return;
  }
  enableForwarding(ground, ground.hostNetns);
  ground.netns.run(foundation.netnsPath, () => {
    writeNetSetting('ipv4/ip_forward', '1');
  });
  await Promise.all([
    rules,
    tools.nft('host', uplinkTable(mark, uplink, exit)),
    permitForwarding(tools, 'host', { link: uplink.hostLink, mark, families: ['ip'] }),
  ]);
}

/** The default bridge for the rules. */
export function defaultBridgeRules({ bridge }: Foundation): BridgeRules {
  return { name: bridge.name, subnet: bridge.subnet, isInternal: false, hasMasquerade: true };
}

/** Lets ports that are published on loopback lead over the bridge; the rules must be in force already. */
export function routeLoopback(netns: NetnsEntry, netnsPath: string, bridgeName: string): void {
  netns.run(netnsPath, () => {
    writeNetSetting(`ipv4/conf/${bridgeName}/route_localnet`, '1');
  });
}

async function layIsolated(ground: Ground): Promise<Foundation> {
  const { links, mark, slug, runDir } = ground;
  const netnsPath = isolatedNetnsName(slug);
  nameNetns(isolatedNetnsPath(runDir), netnsPath);
  const [taken] = await Promise.all([
    takenOn(ground, ground.hostNetns),
    links.createNetns(isolatedNetnsPath(runDir), { hasIpv6: true }),
  ]);
  const slot = firstOf(freeBridges({ names: new Set(), blocks: singleBlocks(ground.resolvers) }));
  const bridge = { name: isolatedBridge, subnet: subnetText(slot), gateway: slot.gateway };
  const uplink = await addUplink(ground, netnsPath, taken);
  const foundation: Foundation = { kind: 'isolated', netnsPath, bridge, uplink };
  const pair = (address: string): InterfaceAddress => ({ address, prefixLength: 31 });
  await Promise.all([
    links.addBridge(netnsPath, bridgeSpec(slot, { name: isolatedBridge, alias: mark })),
    links.raise(netnsPath, isolatedUplink, {
      addresses: [pair(uplink.jobAddress)],
      gateways: [uplink.hostAddress],
    }),
    applyRules(ground, foundation, [defaultBridgeRules(foundation)]),
  ]);
  // Last, and so after the rules: the link never carries what they would have dropped.
  await links.raise(ground.hostNetns, uplink.hostLink, {
    alias: mark,
    addresses: [pair(uplink.hostAddress)],
    gateways: [],
  });
  return foundation;
}

async function addUplink(ground: Ground, netnsPath: string, taken: Taken): Promise<UplinkSlot> {
  const { links, hostNetns, uplinkPools } = ground;
  for (const slot of freeUplinks(uplinkPools, taken, randomInt(1 << 30))) {
    try {
      await links.addPair(netnsPath, isolatedUplink, { name: slot.hostLink, netnsPath: hostNetns });
      return slot;
    } catch (error) {
      // Another job was faster.
      if (!isErrorKind(error, 'Conflict')) throw error;
    }
  }
  throw new EngineError('Unavailable', 'no free addresses for the uplink of a job');
}

async function layShared(
  ground: Ground,
  choice: Exclude<NetworkPlace, { kind: 'isolated' }>,
): Promise<Foundation> {
  const { links, libc, runDir, mark } = ground;
  const netnsPath = sharedNetnsPath(runDir);
  await createNamespaceFile(netnsPath);
  bindNamespace(libc, choice.kind === 'path' ? choice.path : ground.hostNetns, netnsPath);
  const taken = await takenOn(ground, netnsPath);
  const blocks = [...taken.blocks, ...singleBlocks(ground.resolvers)];
  for (const slot of freeBridges({ ...taken, blocks })) {
    const name = slot.sharedName;
    const bridge = { name, subnet: subnetText(slot), gateway: slot.gateway };
    const foundation: Foundation = { kind: choice.kind, netnsPath, bridge };
    // First, and so the bridge is never without them.
    await applyRules(ground, foundation, [defaultBridgeRules(foundation)]);
    try {
      await links.addBridge(netnsPath, bridgeSpec(slot, { name, alias: mark }));
      return foundation;
    } catch (error) {
      if (!isErrorKind(error, 'Conflict')) throw error;
      await withdrawForwarding(ground.tools, { netns: netnsPath }, { mark });
    }
  }
  throw new EngineError('Unavailable', 'no free subnet for the default bridge');
}

/** A bridge to make. Without a hardware address of its own it would take that of its lowest port, and change it under its neighbours. */
export function bridgeSpec(
  slot: BridgeSlot,
  { name, alias, mtu = defaultMtu }: { readonly name: string; readonly alias: string; readonly mtu?: number },
): BridgeSpec {
  const { gateway: address, subnet } = slot;
  const addresses = [{ address, prefixLength: subnet.prefixLength }];
  return { name, mac: createBridgeMac(), mtu, alias, addresses };
}

/** Blocks that a namespace has routes to, and the host's resolvers, which may be anywhere. */
export async function takenBlocks(
  ground: Ground,
  netnsPath: string,
): Promise<{ readonly taken: readonly Subnet[]; readonly takenIpv6: readonly Ipv6Block[] }> {
  const { blocks } = await takenOn(ground, netnsPath);
  const { routed } = hasSix() ? await ground.links.surveyIpv6(netnsPath) : { routed: [] };
  return {
    taken: [...blocks, ...singleBlocks(ground.resolvers)],
    takenIpv6: routed.map(parseIpv6Block).filter(({ prefixLength }) => prefixLength > 0),
  };
}

async function takenOn({ links }: Ground, netnsPath: string): Promise<Taken> {
  const { names, routed } = await links.survey(netnsPath);
  return { names, blocks: routedBlocks(routed) };
}

function firstOf<T>(values: Iterable<T>): T {
  for (const value of values) return value;
  throw new EngineError('Unavailable', 'no free subnet for the default bridge');
}

// Left on at the end: whoever came to rely on it since would lose it.
function enableForwarding({ netns, log }: Ground, netnsPath: string): void {
  const wasOff = netns.run(netnsPath, () => {
    if (readNetSetting('ipv4/ip_forward') === '1') return false;
    writeNetSetting('ipv4/ip_forward', '1');
    return true;
  });
  if (wasOff) log.warn('ip forwarding was off on the host and is on from now on');
}
