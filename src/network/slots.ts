import { formatAddress, formatSubnet, parseSubnet, subnetSize, subnetsOverlap, type Subnet } from './ipv4.ts';
import { formatIpv6, parseIpv6Block } from './ipv6.ts';
import { sharedBridgePrefix, uplinkPrefix } from './names.ts';

/** What a new link must keep away from: names that exist, and blocks that are in use. */
export interface Taken {
  readonly names: ReadonlySet<string>;
  readonly blocks: readonly Subnet[];
}

/** One candidate for a job's way out: its number is in the link's name, so the kernel refuses it to a second job. */
export interface UplinkSlot {
  readonly hostLink: string;
  readonly hostAddress: string;
  readonly jobAddress: string;
}

/** The IPv6 addresses of an uplink's two ends. */
export interface UplinkIpv6 {
  readonly hostAddress: string;
  readonly jobAddress: string;
}

/** One candidate for a default bridge. */
export interface BridgeSlot {
  /** Name for a bridge in a namespace with other jobs' bridges. */
  readonly sharedName: string;
  readonly subnet: Subnet;
  readonly gateway: string;
}

/** RFC 4193's kind; which one nobody else has reason to choose. */
const ipv6Pairs = parseIpv6Block('fd62:6572:7468::/64');

const bridgeBlocks: readonly (readonly [block: string, prefixLength: number])[] = [
  ['172.17.0.0/16', 16],
  ['172.18.0.0/15', 16],
  ['172.20.0.0/14', 16],
  ['172.24.0.0/13', 16],
  ['192.168.0.0/16', 20],
];

// Halves and quarters of the whole address space are how VPNs write a default route.
const shortestRealPrefix = 8;

/** Blocks of the destinations of `ip route`; default routes take nothing. */
export function routedBlocks(destinations: readonly string[]): readonly Subnet[] {
  return destinations
    .filter((destination) => /^[\d./]+$/.test(destination))
    .map(parseSubnet)
    .filter(({ prefixLength }) => prefixLength >= shortestRealPrefix);
}

/**
 * Free pairs of addresses of the pools, from the `start`th on and around. A start at random keeps an address that
 * one job just left, and that connections may still be tracked for, from going to the next job.
 */
export function* freeUplinks(pools: readonly string[], taken: Taken, start: number): Generator<UplinkSlot> {
  const blocks = pools.map(parseSubnet);
  const total = blocks.reduce((sum, block) => sum + subnetSize(block) / 2, 0);
  for (let step = 0; step < total; step += 1) {
    const number = (start + step) % total;
    const pair = pairAt(blocks, number);
    const hostLink = `${uplinkPrefix}${number}`;
    if (taken.names.has(hostLink) || taken.blocks.some((block) => subnetsOverlap(block, pair))) continue;
    yield { hostLink, hostAddress: formatAddress(pair.base), jobAddress: formatAddress(pair.base + 1) };
  }
}

/** The pair of private addresses that goes with an uplink's number. */
export function uplinkIpv6(hostLink: string): UplinkIpv6 {
  const number = BigInt(hostLink.slice(uplinkPrefix.length));
  const base = ipv6Pairs.base + number * 2n;
  return { hostAddress: formatIpv6(base), jobAddress: formatIpv6(base + 1n) };
}

function pairAt(blocks: readonly Subnet[], number: number): Subnet {
  let rest = number;
  for (const block of blocks) {
    const pairs = subnetSize(block) / 2;
    if (rest < pairs) return { base: block.base + rest * 2, prefixLength: 31 };
    rest -= pairs;
  }
  throw new RangeError(`no uplink has the number ${number}`);
}

/** Free subnets for a default bridge, in dockerd's order: 172.17.0.0/16 first. */
export function* freeBridges(taken: Taken): Generator<BridgeSlot> {
  let number = 0;
  for (const [text, prefixLength] of bridgeBlocks) {
    const block = parseSubnet(text);
    const size = 2 ** (32 - prefixLength);
    for (let base = block.base; base < block.base + subnetSize(block); base += size) {
      const subnet = { base, prefixLength };
      const sharedName = `${sharedBridgePrefix}${number}`;
      number += 1;
      if (taken.names.has(sharedName) || taken.blocks.some((one) => subnetsOverlap(one, subnet))) continue;
      yield { sharedName, subnet, gateway: formatAddress(base + 1) };
    }
  }
}

/** Blocks of one address each, of texts that are IPv4 addresses. */
export function singleBlocks(addresses: readonly string[]): readonly Subnet[] {
  return addresses.map(parseSubnet);
}

/** Text of a bridge's subnet. */
export function subnetText({ subnet }: BridgeSlot): string {
  return formatSubnet(subnet);
}
