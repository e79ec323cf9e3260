import { randomBytes } from 'node:crypto';

import { EngineError, ShapeError } from '../errors.ts';
import { checkPool, refuseTwice } from './check-pool.ts';
import {
  formatIpv6,
  formatIpv6Block,
  ipv6Contains,
  ipv6Overlap,
  lastIpv6,
  parseIpv6,
  parseIpv6Block,
  type Ipv6Block,
} from './ipv6.ts';
import type { Ipv6Facts, PoolRequest } from './types.ts';

/** Unspecified, loopback and IPv4 in disguise; translated, link-local and multicast ones. */
const never = ['::/8', '64:ff9b::/96', 'fe80::/10', 'ff00::/8'].map(parseIpv6Block);
const [shortestPrefix, longestPrefix] = [8, 126];
const uniqueLocal = 0xfd;
const privateBlock = parseIpv6Block('fc00::/7');

/** What the IPv6 part of a new network must keep away from. */
export interface Ipv6Surroundings {
  readonly taken: readonly Ipv6Block[];
  /** True where others are in the network namespace. */
  readonly isShared: boolean;
}

/** Refuses a block of addresses that belong to the world, where others have theirs from there too. */
export function refuseForeign(subnet: string): EngineError {
  return new EngineError(
    'PermissionDenied',
    `subnet ${subnet} is refused: the job's network namespace is not its own, and there only private addresses can be a network's`,
  );
}

/** Decides on the IPv6 part of a user's network, which leads nowhere yet; without a wish it is a block of its own of the private ones. */
export function planIpv6(request: PoolRequest, { taken, isShared }: Ipv6Surroundings): Ipv6Facts {
  checkPool(request);
  const block = request.subnet === '' ? freshBlock() : chosenBlock(request.subnet);
  if (isShared && !(ipv6Contains(privateBlock, block.base) && ipv6Contains(privateBlock, lastIpv6(block))))
    throw refuseForeign(request.subnet);
  if (taken.some((one) => ipv6Overlap(one, block)))
    throw new EngineError('PermissionDenied', 'Pool overlaps with other one on this address space');
  const range = request.ipRange === '' ? block : parseIpv6Block(request.ipRange);
  const first = range.base === block.base ? block.base + 1n : range.base;
  const gateway = request.gateway === '' ? formatIpv6(first) : plainIpv6(request.gateway);
  const auxAddresses = Object.fromEntries(
    Object.entries(request.auxAddresses).map(([name, text]) => [name, plainIpv6(text)]),
  );
  const network = { reserved: [formatIpv6(block.base)], gateway, auxAddresses };
  refuseTwice(network);
  return {
    subnet: formatIpv6Block(block),
    gateway,
    ipRange: request.ipRange === '' ? '' : formatIpv6Block(range),
    auxAddresses,
    hasChosenSubnet: request.subnet !== '',
    leadsOut: false,
  };
}

function chosenBlock(text: string): Ipv6Block {
  const block = parseIpv6Block(text);
  const { prefixLength } = block;
  if (
    prefixLength < shortestPrefix ||
    prefixLength > longestPrefix ||
    never.some((one) => ipv6Overlap(one, block))
  )
    throw new ShapeError(`invalid network config:\ninvalid subnet ${text}: it cannot be a network's`, {
      field: 'IPAM',
    });
  return block;
}

function plainIpv6(text: string): string {
  return formatIpv6(parseIpv6(text));
}

// RFC 4193: random, so that it is nobody else's.
function freshBlock(): Ipv6Block {
  const bits = Buffer.concat([Buffer.of(uniqueLocal), randomBytes(7), Buffer.alloc(8)]);
  return { base: BigInt(`0x${bits.toString('hex')}`), prefixLength: 64 };
}
