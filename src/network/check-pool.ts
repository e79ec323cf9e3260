import { isIPv4, isIPv6 } from 'node:net';

import { EngineError, ShapeError } from '../errors.ts';
import { formatSubnet, lastAddress, parseAddress, parseSubnet } from './ipv4.ts';
import { formatIpv6Block, lastIpv6, parseIpv6, parseIpv6Block } from './ipv6.ts';
import type { AddressRequest, PoolRequest } from './types.ts';

/** A block of either family. */
interface Block {
  readonly isSix: boolean;
  readonly first: bigint;
  readonly last: bigint;
  readonly prefixLength: number;
  /** With the bits below the prefix cut off. */
  readonly text: string;
  /** False where the text that it was read from has such bits. */
  readonly isWhole: boolean;
}

/** InvalidArgument, in dockerd's words and with all that is wrong at once, for a pool whose parts do not go together. */
export function checkPool(pool: PoolRequest): void {
  const faults = faultsOf(pool);
  if (faults.length > 0)
    throw new ShapeError(`invalid network config:\n${faults.join('\n')}`, { field: 'IPAM' });
}

/** The request with what is below the prefixes of its blocks cut off; what is no block stays for `checkPool`. */
export function cutHostBits<T extends AddressRequest>(request: T): T {
  const { ipv6, idleIpv6 } = request;
  return {
    ...request,
    ...wholePool(request),
    ...(ipv6 ? { ipv6: { ...ipv6, ...wholePool(ipv6) } } : {}),
    ...(idleIpv6 ? { idleIpv6: { ...idleIpv6, ...wholePool(idleIpv6) } } : {}),
  };
}

function wholePool({ subnet, ipRange }: PoolRequest): Pick<PoolRequest, 'subnet' | 'ipRange'> {
  const whole = (text: string): string => readBlock(text)?.text ?? text;
  return { subnet: whole(subnet), ipRange: whole(ipRange) };
}

/** The addresses of a network that are somebody's before its first container comes. */
interface Reserved {
  /** Those that no interface can have. */
  readonly reserved: readonly string[];
  readonly gateway: string;
  readonly auxAddresses: Readonly<Record<string, string>>;
}

/** PermissionDenied, in dockerd's words, where the gateway or an auxiliary address is taken already; all are written in their family's one way. */
export function refuseTwice({ reserved, gateway, auxAddresses }: Reserved): void {
  const taken = new Set(reserved);
  const take = (address: string, what: string): void => {
    if (taken.has(address))
      throw new EngineError('PermissionDenied', `failed to allocate ${what}: Address already in use`);
    taken.add(address);
  };
  take(gateway, `gateway (${gateway})`);
  for (const [name, address] of Object.entries(auxAddresses))
    take(address, `secondary ip address (${quoted(name)}:${address})`);
}

function faultsOf({ subnet, ipRange, gateway, auxAddresses }: PoolRequest): readonly string[] {
  const auxiliary = Object.entries(auxAddresses);
  if (subnet === '')
    return ipRange === '' && gateway === '' && auxiliary.length === 0
      ? []
      : ['an ip-range, a gateway or an auxiliary address needs a subnet'];
  const parent = readBlock(subnet);
  if (!parent) return [`invalid subnet ${quoted(subnet)}: invalid CIDR block notation`];
  const about = (what: string, fault: string | undefined): readonly string[] =>
    fault === undefined ? [] : [`invalid ${what}: ${fault}`];
  return [
    ...about(`subnet ${quoted(subnet)}`, parent.isWhole ? undefined : `it should be ${parent.text}`),
    ...(ipRange === '' ? [] : rangeFaults(ipRange, parent)).flatMap((fault) =>
      about(`ip-range ${quoted(ipRange)}`, fault),
    ),
    ...(gateway === '' ? [] : about(`gateway ${quoted(gateway)}`, addressFault(gateway, parent))),
    ...auxiliary.flatMap(([name, address]) =>
      about(`auxiliary address ${quoted(name)}`, addressFault(address, parent)),
    ),
  ];
}

function rangeFaults(text: string, parent: Block): readonly string[] {
  const range = readBlock(text);
  if (!range) return ['invalid CIDR block notation'];
  if (range.isSix !== parent.isSix) return [otherFamily(parent)];
  const faults = range.isWhole ? [] : [`it should be ${range.text}`];
  if (range.prefixLength < parent.prefixLength)
    return [...faults, `CIDR block is bigger than its parent subnet ${parent.text}`];
  const isInside = range.first >= parent.first && range.last <= parent.last;
  return isInside ? faults : [...faults, `parent subnet ${parent.text} doesn't contain ip-range`];
}

function addressFault(text: string, parent: Block): string | undefined {
  const address = readAddress(text);
  if (address === undefined) return 'invalid address';
  if (isIPv6(text) !== parent.isSix) return otherFamily(parent);
  const isInside = address >= parent.first && address <= parent.last;
  return isInside ? undefined : `parent subnet ${parent.text} doesn't contain this address`;
}

function otherFamily({ isSix }: Block): string {
  return `parent subnet is an ${isSix ? 'IPv6' : 'IPv4'} block`;
}

function readAddress(text: string): bigint | undefined {
  if (isIPv4(text)) return BigInt(parseAddress(text));
  return isIPv6(text) && !text.includes('%') ? parseIpv6(text) : undefined;
}

function readBlock(text: string): Block | undefined {
  const [address = '', length = ''] = text.split('/');
  const own = readAddress(address);
  if (own === undefined || !/^(?:0|[1-9]\d*)$/.test(length)) return undefined;
  try {
    const block = isIPv6(address) ? sixBlock(text) : fourBlock(text);
    return { ...block, isWhole: own === block.first };
  } catch {
    return undefined;
  }
}

function fourBlock(text: string): Omit<Block, 'isWhole'> {
  const block = parseSubnet(text);
  return {
    isSix: false,
    first: BigInt(block.base),
    last: BigInt(lastAddress(block)),
    prefixLength: block.prefixLength,
    text: formatSubnet(block),
  };
}

function sixBlock(text: string): Omit<Block, 'isWhole'> {
  const block = parseIpv6Block(text);
  return {
    isSix: true,
    first: block.base,
    last: lastIpv6(block),
    prefixLength: block.prefixLength,
    text: formatIpv6Block(block),
  };
}

function quoted(text: string): string {
  return text.slice(0, 200);
}
