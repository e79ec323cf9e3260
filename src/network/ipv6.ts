import { isIPv6 } from 'node:net';

import { ShapeError } from '../errors.ts';
import { addressBytes, formatSix } from './address-bytes.ts';

/** A block of IPv6 addresses; the number is the first one's 128 bits. */
export interface Ipv6Block {
  readonly base: bigint;
  readonly prefixLength: number;
}

const addressBits = 128;

/** The 128 bits of an address; InvalidArgument for any other text. */
export function parseIpv6(text: string): bigint {
  if (!isIPv6(text) || text.includes('%'))
    throw new ShapeError(`invalid IPv6 address: ${JSON.stringify(text)}`);
  return BigInt(`0x${addressBytes(text).toString('hex')}`);
}

/** The one text of an address. */
export function formatIpv6(bits: bigint): string {
  return formatSix(Buffer.from(bits.toString(16).padStart(32, '0'), 'hex'));
}

/** Reads `address/length`; bits below the prefix are cut off. */
export function parseIpv6Block(text: string): Ipv6Block {
  const [address = '', length = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > addressBits)
    throw new ShapeError(`invalid subnet: ${JSON.stringify(text)}`);
  const prefixLength = Number(length);
  const bits = parseIpv6(address);
  return { base: bits - (bits % sizeOf(prefixLength)), prefixLength };
}

/** `address/length` of a block. */
export function formatIpv6Block({ base, prefixLength }: Ipv6Block): string {
  return `${formatIpv6(base)}/${prefixLength}`;
}

/** The last address of the block. */
export function lastIpv6({ base, prefixLength }: Ipv6Block): bigint {
  return base + sizeOf(prefixLength) - 1n;
}

/** True when the address lies in the block. */
export function ipv6Contains(block: Ipv6Block, bits: bigint): boolean {
  return bits >= block.base && bits <= lastIpv6(block);
}

/** True when the blocks share an address. */
export function ipv6Overlap(a: Ipv6Block, b: Ipv6Block): boolean {
  return a.base <= lastIpv6(b) && b.base <= lastIpv6(a);
}

function sizeOf(prefixLength: number): bigint {
  return 1n << BigInt(addressBits - prefixLength);
}
