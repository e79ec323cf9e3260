import { EngineError } from '../errors.ts';
import { createRandomId } from '../lib/random-id.ts';
import {
  formatAddress,
  formatSubnet,
  lastAddress,
  parseAddress,
  parseSubnet,
  subnetContains,
  subnetsOverlap,
  type Subnet,
} from './ipv4.ts';
import { userBridgeName } from './names.ts';
import { checkNetworkOptions } from './network-options.ts';
import { planIpv6 } from './plan-ipv6.ts';
import { freeBridges } from './slots.ts';
import type { NetworkFacts, NetworkRequest } from './types.ts';

/** What a new network must keep away from. */
export interface Surroundings {
  readonly networks: readonly NetworkFacts[];
  /** Blocks in use where the bridges are, besides those of the networks. */
  readonly taken: readonly Subnet[];
  readonly createdAt: string;
}

/** Each has a bridge and rules of its own; more would only be asked for to wear the machine out. */
const maxNetworks = 256;
const never = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4'].map(parseSubnet);

/** Decides on a user's network: its subnet, gateway and names. Refusals are dockerd's. */
export function planNetwork(request: NetworkRequest, around: Surroundings): NetworkFacts {
  checkNetworkOptions(request.options);
  const users = around.networks.filter(({ isPredefined }) => !isPredefined);
  if (users.length >= maxNetworks)
    throw new EngineError('PermissionDenied', `more than ${maxNetworks} networks in one job`);
  const { subnet, gateway } = chooseSubnet(request, around);
  const inside = (address: string, what: string): void => {
    if (!subnetContains(subnet, parseAddress(address)))
      throw invalid(`no matching subnet for ${what} ${address}`);
  };
  if (request.gateway !== '') inside(request.gateway, 'gateway');
  for (const address of Object.values(request.auxAddresses)) inside(address, 'aux-address');
  const id = createRandomId();
  return {
    id,
    name: request.name,
    driver: 'bridge',
    createdAt: around.createdAt,
    subnet: formatSubnet(subnet),
    gateway: request.gateway || gateway,
    bridgeName: userBridgeName(id),
    isPredefined: false,
    ipRange: request.ipRange === '' ? '' : checkRange(request.ipRange, subnet),
    auxAddresses: request.auxAddresses,
    hasChosenSubnet: request.subnet !== '',
    ...(request.ipv6
      ? {
          ipv6: planIpv6(
            request.ipv6,
            around.networks.flatMap(({ ipv6 }) => ipv6 ?? []),
          ),
        }
      : {}),
    isInternal: request.isInternal,
    isAttachable: request.isAttachable,
    options: request.options,
    labels: request.labels,
  };
}

function chooseSubnet(
  request: NetworkRequest,
  { networks, taken }: Surroundings,
): { readonly subnet: Subnet; readonly gateway: string } {
  const blocks = [
    ...networks.flatMap(({ subnet }) => (subnet === '' ? [] : [parseSubnet(subnet)])),
    ...taken,
  ];
  if (request.subnet !== '') {
    const subnet = parseWhole(request.subnet, 'subnet');
    if (
      subnet.prefixLength < 8 ||
      subnet.prefixLength > 30 ||
      never.some((one) => subnetsOverlap(one, subnet))
    )
      throw invalid(`invalid subnet ${request.subnet}: it cannot be a network's`);
    if (blocks.some((block) => subnetsOverlap(block, subnet)))
      throw new EngineError('PermissionDenied', 'Pool overlaps with other one on this address space');
    const range = request.ipRange === '' ? subnet : parseSubnet(request.ipRange);
    const first = range.base === subnet.base ? subnet.base + 1 : range.base;
    return { subnet, gateway: formatAddress(first) };
  }
  if (request.ipRange !== '' || request.gateway !== '')
    throw invalid('an ip-range or a gateway needs a subnet');
  for (const slot of freeBridges({ names: new Set(), blocks })) return slot;
  throw new EngineError('NotFound', 'all predefined address pools have been fully subnetted');
}

function checkRange(text: string, subnet: Subnet): string {
  const range = parseWhole(text, 'ip-range');
  if (range.base < subnet.base || lastAddress(range) > lastAddress(subnet))
    throw invalid(`no matching subnet for range ${text}`);
  return formatSubnet(range);
}

function parseWhole(text: string, what: string): Subnet {
  const subnet = parseSubnet(text);
  const whole = formatSubnet(subnet);
  if (whole !== text) throw invalid(`invalid ${what} ${text}: it should be ${whole}`);
  return subnet;
}

function invalid(message: string): EngineError {
  return new EngineError('InvalidArgument', `invalid network config:\n${message}`);
}
