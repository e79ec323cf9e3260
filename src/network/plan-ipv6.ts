import { randomBytes } from 'node:crypto';

import { EngineError } from '../errors.ts';
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
import type { Ipv6Facts, Ipv6Request } from './types.ts';

/** Unspecified, loopback and IPv4 in disguise; translated, link-local and multicast ones. */
const never = ['::/8', '64:ff9b::/96', 'fe80::/10', 'ff00::/8'].map(parseIpv6Block);
const [shortestPrefix, longestPrefix] = [8, 126];
const uniqueLocal = 0xfd;

/** Decides on the IPv6 part of a user's network, which leads nowhere yet; without a wish it is a block of its own of the private ones. */
export function planIpv6(request: Ipv6Request, others: readonly Ipv6Facts[]): Ipv6Facts {
  const block = request.subnet === '' ? freshBlock() : chosenBlock(request.subnet);
  if (others.some(({ subnet }) => ipv6Overlap(parseIpv6Block(subnet), block)))
    throw new EngineError('PermissionDenied', 'Pool overlaps with other one on this address space');
  const range = request.ipRange === '' ? block : wholeBlock(request.ipRange, 'ip-range');
  if (!ipv6Contains(block, range.base) || !ipv6Contains(block, lastIpv6(range)))
    throw invalid(`no matching subnet for range ${request.ipRange}`);
  const inside = (text: string, what: string): string => {
    const bits = parseIpv6(text);
    if (!ipv6Contains(block, bits)) throw invalid(`no matching subnet for ${what} ${text}`);
    return formatIpv6(bits);
  };
  const first = range.base === block.base ? block.base + 1n : range.base;
  return {
    subnet: formatIpv6Block(block),
    gateway: request.gateway === '' ? formatIpv6(first) : inside(request.gateway, 'gateway'),
    ipRange: request.ipRange === '' ? '' : formatIpv6Block(range),
    auxAddresses: Object.fromEntries(
      Object.entries(request.auxAddresses).map(([name, text]) => [name, inside(text, 'aux-address')]),
    ),
    hasChosenSubnet: request.subnet !== '',
    leadsOut: false,
  };
}

function chosenBlock(text: string): Ipv6Block {
  const block = wholeBlock(text, 'subnet');
  const { prefixLength } = block;
  if (
    prefixLength < shortestPrefix ||
    prefixLength > longestPrefix ||
    never.some((one) => ipv6Overlap(one, block))
  )
    throw invalid(`invalid subnet ${text}: it cannot be a network's`);
  return block;
}

function wholeBlock(text: string, what: string): Ipv6Block {
  const block = parseIpv6Block(text);
  if (parseIpv6(text.split('/', 1)[0] ?? '') !== block.base)
    throw invalid(`invalid ${what} ${text}: it should be ${formatIpv6Block(block)}`);
  return block;
}

// RFC 4193: random, so that it is nobody else's.
function freshBlock(): Ipv6Block {
  const bits = Buffer.concat([Buffer.of(uniqueLocal), randomBytes(7), Buffer.alloc(8)]);
  return { base: BigInt(`0x${bits.toString('hex')}`), prefixLength: 64 };
}

function invalid(message: string): EngineError {
  return new EngineError('InvalidArgument', `invalid network config:\n${message}`);
}
