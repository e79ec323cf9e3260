import { describe, expect, test } from 'vitest';

import { createAddressPool } from './address-pool.ts';
import { formatAddress, formatSubnet, parseAddress, parseSubnet, subnetsOverlap } from './ipv4.ts';
import { macFromAddress, parseMacAddress } from './mac-address.ts';
import { freeBridges, freeUplinks, routedBlocks, subnetText, type Taken } from './slots.ts';

const nothing: Taken = { names: new Set(), blocks: [] };

describe('IPv4', () => {
  test.each(['0.0.0.0', '10.1.2.3', '255.255.255.255', '172.17.0.1'])(
    '%s survives the way there and back',
    (text) => {
      expect(formatAddress(parseAddress(text))).toBe(text);
    },
  );

  test.each([
    ['172.17.3.4/16', '172.17.0.0/16'],
    ['255.255.255.255/32', '255.255.255.255/32'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['203.0.113.9/0', '0.0.0.0/0'],
  ])('%s is the block %s', (text, block) => {
    expect(formatSubnet(parseSubnet(text))).toBe(block);
  });

  test.each([
    '',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/8 accept',
    '::1/64',
    '010.0.0.1',
  ])('%j is no block', (text) => {
    expect(() => parseSubnet(text)).toThrow('invalid');
  });

  test.each([
    ['10.0.0.0/8', '10.200.0.0/16', true],
    ['10.0.0.0/31', '10.0.0.2/31', false],
    ['0.0.0.0/0', '255.255.255.255/32', true],
  ])('%s and %s share an address: %s', (a, b, expected) => {
    expect(subnetsOverlap(parseSubnet(a), parseSubnet(b))).toBe(expected);
    expect(subnetsOverlap(parseSubnet(b), parseSubnet(a))).toBe(expected);
  });
});

describe('the address pool', () => {
  const pool = (): ReturnType<typeof createAddressPool> =>
    createAddressPool(parseSubnet('192.0.2.0/29'), ['192.0.2.1']);

  test('gives the lowest free address, never the first, the last or the gateway', () => {
    const addresses = pool();
    expect([1, 2, 3, 4, 5].map(() => addresses.allocate())).toEqual(
      [2, 3, 4, 5, 6].map((last) => `192.0.2.${last}`),
    );
    expect(() => addresses.allocate()).toThrow('no available addresses on this pool');
    addresses.release('192.0.2.4');
    addresses.release('192.0.2.4');
    expect(addresses.allocate()).toBe('192.0.2.4');
  });

  test('a claimed address is not given to anybody else', () => {
    const addresses = pool();
    expect(addresses.claim('192.0.2.2')).toBe(true);
    expect(addresses.allocate()).toBe('192.0.2.3');
    for (const address of ['192.0.2.0', '192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.7', '192.0.2.8'])
      expect(addresses.claim(address), address).toBe(false);
  });
});

describe('hardware addresses', () => {
  test("come from the IPv4 address as Docker's do", () => {
    expect(macFromAddress('172.17.0.2')).toBe('02:42:ac:11:00:02');
    expect(macFromAddress('10.0.0.255')).toBe('02:42:0a:00:00:ff');
  });

  test.each([
    '',
    '02:42:ac:11:00',
    '01:00:5e:00:00:01',
    'ff:ff:ff:ff:ff:ff',
    '00:00:00:00:00:00',
    '02:42:ac:11:00:02 up',
    '02:42:ac:11:00:02\n',
  ])('%j is refused', (text) => {
    expect(() => parseMacAddress(text)).toThrow('invalid MAC address');
  });

  test('may be written in capitals and with dashes', () => {
    expect(parseMacAddress('92-D0-C6-0A-29-33')).toBe('92:d0:c6:0a:29:33');
  });
});

describe('free places for links', () => {
  test('uplinks begin anywhere, go around, and skip names and blocks that are taken', () => {
    const taken = { names: new Set(['berth-u2']), blocks: routedBlocks(['10.231.0.0/31']) };
    expect([...freeUplinks(['10.231.0.0/29', '192.0.2.0/31'], taken, 7)]).toEqual([
      { hostLink: 'berth-u3', hostAddress: '10.231.0.6', jobAddress: '10.231.0.7' },
      { hostLink: 'berth-u4', hostAddress: '192.0.2.0', jobAddress: '192.0.2.1' },
      { hostLink: 'berth-u1', hostAddress: '10.231.0.2', jobAddress: '10.231.0.3' },
    ]);
  });

  test("bridges are tried in dockerd's order", () => {
    const subnets = [...freeBridges(nothing)].map(subnetText);
    expect(subnets).toHaveLength(31);
    expect([subnets[0], subnets[1], subnets[14], subnets[15], subnets[30]]).toEqual([
      '172.17.0.0/16',
      '172.18.0.0/16',
      '172.31.0.0/16',
      '192.168.0.0/20',
      '192.168.240.0/20',
    ]);
    const blocks = routedBlocks(['172.17.0.0/16', '172.18.4.0/24', 'default', '0.0.0.0/1', 'fe80::/64']);
    const [first] = freeBridges({ names: new Set(['berth-b2']), blocks });
    expect(first).toMatchObject({ sharedName: 'berth-b3', gateway: '172.20.0.1' });
  });
});
