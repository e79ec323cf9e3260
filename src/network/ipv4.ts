import { isIPv4 } from 'node:net';

import { ShapeError } from '../errors.ts';

/** A block of IPv4 addresses; the numbers are the addresses' 32 bits. */
export interface Subnet {
  readonly base: number;
  readonly prefixLength: number;
}

/** The 32 bits of a dotted address; InvalidArgument for any other text. */
export function parseAddress(text: string): number {
  if (!isIPv4(text)) throw new ShapeError(`invalid IPv4 address: ${JSON.stringify(text)}`);
  return text.split('.').reduce((bits, part) => bits * 256 + Number(part), 0);
}

/** The dotted form of 32 bits. */
export function formatAddress(bits: number): string {
  return [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255].join('.');
}

/** Reads `address/length`, or a lone address as a block of one; bits below the prefix are cut off. */
export function parseSubnet(text: string): Subnet {
  const [address = '', length, ...rest] = text.split('/');
  const prefixLength = length === undefined ? 32 : Number(length);
  if (rest.length > 0 || (length !== undefined && !/^\d{1,2}$/.test(length)) || prefixLength > 32)
    throw new ShapeError(`invalid subnet: ${JSON.stringify(text)}`);
  const size = 2 ** (32 - prefixLength);
  const bits = parseAddress(address);
  return { base: bits - (bits % size), prefixLength };
}

/** `address/length` of a block. */
export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.base)}/${subnet.prefixLength}`;
}

/** How many addresses the block has. */
export function subnetSize(subnet: Subnet): number {
  return 2 ** (32 - subnet.prefixLength);
}

/** The last address of the block. */
export function lastAddress(subnet: Subnet): number {
  return subnet.base + subnetSize(subnet) - 1;
}

/** True when the address lies in the block. */
export function subnetContains(subnet: Subnet, bits: number): boolean {
  return bits >= subnet.base && bits <= lastAddress(subnet);
}

/** True when the blocks share an address. */
export function subnetsOverlap(a: Subnet, b: Subnet): boolean {
  return a.base <= lastAddress(b) && b.base <= lastAddress(a);
}
