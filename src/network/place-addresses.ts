import { EngineError } from '../errors.ts';
import { createAddressPool, type AddressPool } from './address-pool.ts';
import type { HeldAddresses, PlaceRequest } from './bridge-places.ts';
import { parseSubnet } from './ipv4.ts';
import { parseIpv6Block } from './ipv6.ts';
import { createIpv6Pool } from './ipv6-pool.ts';
import type { NetworkFacts } from './types.ts';

/** The addresses of a network's interfaces, of both families where it has both. */
export interface PlaceAddresses {
  /** Those wished for, or the next free ones; PermissionDenied for one that is taken. All or none. */
  take(wish: Pick<PlaceRequest, 'address' | 'ipv6Address'>): HeldAddresses;
  /** Takes addresses that are in use already; false when they cannot be. */
  claim(held: HeldAddresses): boolean;
  release(held: HeldAddresses): void;
}

/** All of a network's addresses, free. */
export function createPlaceAddresses(network: NetworkFacts): PlaceAddresses {
  const { subnet, gateway, auxAddresses, ipRange, ipv6: six } = network;
  const range = ipRange === '' ? undefined : parseSubnet(ipRange);
  const reserved = [gateway, ...Object.values(auxAddresses)];
  const pool = createAddressPool(parseSubnet(subnet), reserved, range);
  const sixPool = six && createIpv6Pool(six);
  const takeSix = (wanted: string): Pick<HeldAddresses, 'ipv6'> => {
    if (!six || !sixPool) return {};
    const address = takeAddress(sixPool, wanted);
    const { prefixLength } = parseIpv6Block(six.subnet);
    return { ipv6: { address, prefixLength, gateway: six.leadsOut ? six.gateway : '' } };
  };
  return {
    take(wish) {
      const ipAddress = takeAddress(pool, wish.address);
      try {
        return { ipAddress, ...takeSix(wish.ipv6Address) };
      } catch (error) {
        pool.release(ipAddress);
        throw error;
      }
    },
    claim({ ipAddress, ipv6 }) {
      if (!pool.claim(ipAddress)) return false;
      if (!ipv6 || sixPool?.claim(ipv6.address) === true) return true;
      pool.release(ipAddress);
      return false;
    },
    release({ ipAddress, ipv6 }) {
      pool.release(ipAddress);
      if (ipv6) sixPool?.release(ipv6.address);
    },
  };
}

function takeAddress(addresses: AddressPool, wanted: string): string {
  if (wanted === '') return addresses.allocate();
  if (!addresses.claim(wanted)) throw new EngineError('PermissionDenied', 'Address already in use');
  return wanted;
}
