import { EngineError, ShapeError } from '../errors.ts';
import { createRandomId } from '../lib/random-id.ts';
import { checkPool, refuseTwice } from './check-pool.ts';
import {
  formatAddress,
  formatSubnet,
  lastAddress,
  parseSubnet,
  subnetContains,
  subnetsOverlap,
  type Subnet,
} from './ipv4.ts';
import { userBridgeName } from './names.ts';
import { bridgeNameOf, checkNetworkOptions } from './network-options.ts';
import { parseIpv6Block, type Ipv6Block } from './ipv6.ts';
import { planIpv6, refuseForeign } from './plan-ipv6.ts';
import { freeBridges } from './slots.ts';
import type { NetworkFacts, NetworkRequest } from './types.ts';

/** What a new network must keep away from. */
export interface Surroundings {
  readonly networks: readonly NetworkFacts[];
  /** Blocks in use where the bridges are, besides those of the networks. */
  readonly taken: readonly Subnet[];
  /** The same of IPv6. */
  readonly takenIpv6: readonly Ipv6Block[];
  /** True where others are in the network namespace: what a network takes from them must not be the world's. */
  readonly isShared: boolean;
  readonly createdAt: string;
  /** Names of the links there; absent where a user may not name one. */
  readonly linkNames?: ReadonlySet<string>;
}

/** Each has a bridge and rules of its own; more would only be asked for to wear the machine out. */
const maxNetworks = 256;
const privateBlocks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(parseSubnet);
const never = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4'].map(parseSubnet);

/** Decides on a user's network: its subnet, gateway and names. Refusals are dockerd's. */
export function planNetwork(request: NetworkRequest, around: Surroundings): NetworkFacts {
  checkNetworkOptions(request.options);
  const users = around.networks.filter(({ isPredefined }) => !isPredefined);
  if (users.length >= maxNetworks)
    throw new EngineError('PermissionDenied', `more than ${maxNetworks} networks in one job`);
  checkPool(request);
  if (request.idleIpv6) checkPool(request.idleIpv6);
  const { subnet, gateway: first } = chooseSubnet(request, around);
  const { auxAddresses } = request;
  const gateway = request.gateway || first;
  const [base, last] = [formatAddress(subnet.base), formatAddress(lastAddress(subnet))];
  refuseTwice({ reserved: [base, last], gateway, auxAddresses });
  const id = createRandomId();
  return {
    id,
    name: request.name,
    driver: 'bridge',
    createdAt: around.createdAt,
    subnet: formatSubnet(subnet),
    gateway,
    bridgeName: chooseBridgeName(request, id, around),
    isPredefined: false,
    ipRange: request.ipRange,
    auxAddresses,
    hasChosenSubnet: request.subnet !== '',
    ...(request.ipv6
      ? {
          ipv6: planIpv6(request.ipv6, {
            isShared: around.isShared,
            taken: [
              ...around.networks.flatMap(({ ipv6 }) => (ipv6 ? [parseIpv6Block(ipv6.subnet)] : [])),
              ...around.takenIpv6,
            ],
          }),
        }
      : {}),
    ...(request.idleIpv6 ? { idleIpv6: request.idleIpv6 } : {}),
    isInternal: request.isInternal,
    isAttachable: request.isAttachable,
    options: request.options,
    labels: request.labels,
    ...(request.configFrom === '' ? {} : { configFrom: request.configFrom }),
  };
}

function chooseBridgeName(
  request: NetworkRequest,
  id: string,
  { networks, linkNames }: Surroundings,
): string {
  const asked = bridgeNameOf(request);
  if (asked === '') return userBridgeName(id);
  const other = networks.find((one) => one.bridgeName === asked || bridgeNameOf(one) === asked);
  if (other)
    throw new EngineError(
      'PermissionDenied',
      `cannot create network ${id} (${asked}): conflicts with network ${other.id} (${asked}): networks have same bridge name`,
    );
  if (linkNames?.has(asked)) throw new EngineError('Conflict', `existing interface ${asked} is not a bridge`);
  return linkNames ? asked : userBridgeName(id);
}

function chooseSubnet(
  request: NetworkRequest,
  { networks, taken, isShared }: Surroundings,
): { readonly subnet: Subnet; readonly gateway: string } {
  const blocks = [
    ...networks.flatMap(({ subnet }) => (subnet === '' ? [] : [parseSubnet(subnet)])),
    ...taken,
  ];
  if (request.subnet !== '') {
    const subnet = parseSubnet(request.subnet);
    if (
      subnet.prefixLength < 8 ||
      subnet.prefixLength > 30 ||
      never.some((one) => subnetsOverlap(one, subnet))
    )
      throw new ShapeError(
        `invalid network config:\ninvalid subnet ${request.subnet}: it cannot be a network's`,
        { field: 'IPAM' },
      );
    if (isShared && !privateBlocks.some((one) => subnetWithin(one, subnet)))
      throw refuseForeign(request.subnet);
    if (blocks.some((block) => subnetsOverlap(block, subnet)))
      throw new EngineError('PermissionDenied', 'Pool overlaps with other one on this address space');
    const range = request.ipRange === '' ? subnet : parseSubnet(request.ipRange);
    const first = range.base === subnet.base ? subnet.base + 1 : range.base;
    return { subnet, gateway: formatAddress(first) };
  }
  for (const slot of freeBridges({ names: new Set(), blocks })) return slot;
  throw new EngineError('NotFound', 'all predefined address pools have been fully subnetted');
}

function subnetWithin(outer: Subnet, inner: Subnet): boolean {
  return subnetContains(outer, inner.base) && subnetContains(outer, lastAddress(inner));
}
