import { BlockList, isIP } from 'node:net';

/** Blocks that are not the public internet (IANA's special-purpose registries), multicast and reserved ones included. */
const SPECIAL_BLOCKS = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Of IPv6, all that is not global unicast, and of that what carries an IPv4 address or leads nowhere.
  '::/3',
  '4000::/2',
  '8000::/1',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
] as const;

/** Makes the test for addresses that lie in one of the CIDR blocks; what is no block is left out. */
export function createBlockTest(blocks: readonly string[]): (address: string) => boolean {
  // Apart: in one list, blocks of IPv6 hold IPv4 addresses in their mapped form too.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const block of blocks) {
    const [address = '', bits = ''] = block.split('/');
    lists[familyOf(address)].addSubnet(address, Number(bits), familyOf(address));
  }
  return (address) => {
    const family = familyOf(address);
    return lists[family].check(address, family) || (family === 'ipv6' && lists.ipv4.check(address, 'ipv6'));
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** True for an address that is not on the public internet. An IPv4 address that is written as IPv6 counts as itself. */
export function isSpecialAddress(address: string): boolean {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  return isSpecial((mapped ?? address).replace(/%.*$/, ''));
}

const isSpecial = createBlockTest(SPECIAL_BLOCKS);
