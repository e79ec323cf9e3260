import { EngineError } from '../errors.ts';
import type { AddressPool } from './address-pool.ts';
import { formatIpv6, ipv6Contains, lastIpv6, parseIpv6, parseIpv6Block } from './ipv6.ts';
import type { Ipv6Facts } from './types.ts';

/** The IPv6 addresses of a network: as its IPv4 ones, but that the last one of the block is like any other. */
export function createIpv6Pool({ subnet, gateway, ipRange, auxAddresses }: Ipv6Facts): AddressPool {
  const block = parseIpv6Block(subnet);
  const range = ipRange === '' ? block : parseIpv6Block(ipRange);
  const never = new Set([block.base, ...[gateway, ...Object.values(auxAddresses)].map(parseIpv6)]);
  const taken = new Set<bigint>();
  let lowestMaybeFree = range.base;
  return {
    allocate() {
      for (let bits = lowestMaybeFree; bits <= lastIpv6(range); bits += 1n) {
        if (never.has(bits) || taken.has(bits)) continue;
        taken.add(bits);
        lowestMaybeFree = bits + 1n;
        return formatIpv6(bits);
      }
      throw new EngineError('Unavailable', 'no available IPv6 addresses on this pool');
    },
    claim(address) {
      const bits = parseIpv6(address);
      if (!ipv6Contains(block, bits) || never.has(bits) || taken.has(bits)) return false;
      taken.add(bits);
      return true;
    },
    release(address) {
      const bits = parseIpv6(address);
      if (taken.delete(bits) && ipv6Contains(range, bits) && bits < lowestMaybeFree) lowestMaybeFree = bits;
    },
  };
}
