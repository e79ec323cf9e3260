import { EngineError } from '../errors.ts';
import { formatAddress, lastAddress, parseAddress, subnetContains, type Subnet } from './ipv4.ts';

/** The addresses of one network: which are taken, and the next free one. Kept in memory; take-over registers them again. */
export interface AddressPool {
  /** The lowest free address; Unavailable when there is none. */
  allocate(): string;
  /** Takes a given address; false when it is outside the subnet, reserved or taken. */
  claim(address: string): boolean;
  /** Gives an address back; one that is not taken is no error. */
  release(address: string): void;
}

/** A pool over the subnet without its first and last address and without `reserved`; `range` is what it hands out of it. */
export function createAddressPool(
  subnet: Subnet,
  reserved: readonly string[],
  range: Subnet = subnet,
): AddressPool {
  const never = new Set([subnet.base, lastAddress(subnet), ...reserved.map(parseAddress)]);
  const taken = new Set<number>();
  let lowestMaybeFree = range.base;
  return {
    allocate() {
      for (let bits = lowestMaybeFree; bits <= lastAddress(range); bits += 1) {
        if (never.has(bits) || taken.has(bits)) continue;
        taken.add(bits);
        lowestMaybeFree = bits + 1;
        return formatAddress(bits);
      }
      throw new EngineError('Unavailable', 'no available addresses on this pool');
    },
    claim(address) {
      const bits = parseAddress(address);
      if (!subnetContains(subnet, bits) || never.has(bits) || taken.has(bits)) return false;
      taken.add(bits);
      return true;
    },
    release(address) {
      const bits = parseAddress(address);
      if (taken.delete(bits) && subnetContains(range, bits) && bits < lowestMaybeFree) lowestMaybeFree = bits;
    },
  };
}
