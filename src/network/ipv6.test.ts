import { describe, expect, test } from 'vitest';

import { createIpv6Pool } from './ipv6-pool.ts';
import { formatIpv6, formatIpv6Block, parseIpv6, parseIpv6Block } from './ipv6.ts';
import { planIpv6 } from './plan-ipv6.ts';
import type { PoolRequest } from './types.ts';

const request = (parts: Partial<PoolRequest>): PoolRequest => ({
  subnet: '',
  gateway: '',
  ipRange: '',
  auxAddresses: {},
  ...parts,
});

const ALONE = { taken: [], isShared: false };

describe('IPv6 blocks', () => {
  test('are read and written', () => {
    expect(formatIpv6(parseIpv6('2001:DB8::0:1'))).toBe('2001:db8::1');
    expect(formatIpv6Block(parseIpv6Block('2001:db8::ffff/64'))).toBe('2001:db8::/64');
  });

  test.each(['', 'fd00::', 'fd00::/129', 'fd00::/x', 'fd00::/64/1', '10.0.0.0/8', 'fe80::1%eth0/64'])(
    '%j is none',
    (text) => {
      expect(() => parseIpv6Block(text)).toThrow('invalid');
    },
  );
});

describe("a network's IPv6 part", () => {
  test('nobody chose is private, and has its first address as gateway', () => {
    const [a, b] = [planIpv6(request({}), ALONE), planIpv6(request({}), ALONE)];
    expect(a.subnet).toMatch(/^fd[0-9a-f]{2}:.*::\/64$/);
    expect(a.gateway).toBe(a.subnet.replace('::/64', '::1'));
    expect(a.subnet).not.toBe(b.subnet);
    expect(a.hasChosenSubnet).toBe(false);
  });

  test('is as it was chosen', () => {
    const chosen = { subnet: '2001:389::/64', gateway: '2001:389:0::ffff', ipRange: '2001:389::0/96' };
    expect(planIpv6(request({ ...chosen, auxAddresses: { a: '2001:389::2' } }), ALONE)).toEqual({
      subnet: '2001:389::/64',
      gateway: '2001:389::ffff',
      ipRange: '2001:389::/96',
      auxAddresses: { a: '2001:389::2' },
      hasChosenSubnet: true,
      leadsOut: false,
    });
  });

  test.each([
    [{ subnet: 'fe80::/64' }, "it cannot be a network's"],
    [{ subnet: '::/0' }, "it cannot be a network's"],
    [{ subnet: '::1/128' }, "it cannot be a network's"],
    [{ subnet: 'fd00::/127' }, "it cannot be a network's"],
    [{ subnet: 'fd00::1/64' }, 'it should be fd00::/64'],
    [
      { subnet: 'fd00::/64', gateway: 'fd01::1' },
      "invalid gateway fd01::1: parent subnet fd00::/64 doesn't contain this address",
    ],
    [
      { subnet: 'fd00::/64', ipRange: 'fd01::/96' },
      "invalid ip-range fd01::/96: parent subnet fd00::/64 doesn't contain ip-range",
    ],
    [
      { subnet: 'fd00::/64', auxAddresses: { x: 'fd01::1' } },
      "invalid auxiliary address x: parent subnet fd00::/64 doesn't contain this address",
    ],
    [{ subnet: 'fd00::/64', gateway: '10.0.0.1' }, 'parent subnet is an IPv6 block'],
    [
      { subnet: 'fd00::/64', gateway: 'fd00::' },
      'failed to allocate gateway (fd00::): Address already in use',
    ],
    [{ subnet: 'fd00::/64', auxAddresses: { x: 'fd00:0::1' } }, 'secondary ip address (x:fd00::1)'],
    [{ subnet: 'fd00::/64\n' }, 'invalid subnet'],
  ])('%j is refused', (parts, message) => {
    expect(() => planIpv6(request(parts), ALONE)).toThrow(message);
  });

  test('keeps away from others', () => {
    const other = planIpv6(request({ subnet: 'fd00:1::/64' }), ALONE);
    expect(() =>
      planIpv6(request({ subnet: 'fd00::/16' }), { isShared: false, taken: [parseIpv6Block(other.subnet)] }),
    ).toThrow('Pool overlaps with other one');
  });

  test('is private where it is in a namespace with others', () => {
    const beside = { taken: [], isShared: true };
    expect(planIpv6(request({}), beside).subnet).toMatch(/^fd/);
    expect(planIpv6(request({ subnet: 'fd00:1::/64' }), beside)).toMatchObject({ subnet: 'fd00:1::/64' });
    for (const subnet of ['2001:db8::/64', '2002::/16'])
      expect(() => planIpv6(request({ subnet }), beside)).toThrow('only private addresses');
  });

  test('hands out its range, and takes what is chosen outside of it once', () => {
    const facts = planIpv6(
      request({ subnet: 'fd00::/64', ipRange: 'fd00::10/126', gateway: 'fd00::10' }),
      ALONE,
    );
    const pool = createIpv6Pool(facts);
    expect([pool.allocate(), pool.allocate(), pool.allocate()]).toEqual(['fd00::11', 'fd00::12', 'fd00::13']);
    expect(() => pool.allocate()).toThrow('no available IPv6 addresses');
    expect(['fd00::99', 'fd00:0::99', 'fd00::10', 'fd00::', 'fd01::1'].map((one) => pool.claim(one))).toEqual(
      [true, false, false, false, false],
    );
    pool.release('fd00::12');
    expect(pool.allocate()).toBe('fd00::12');
  });
});
