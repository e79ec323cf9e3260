import { describe, expect, test } from 'vitest';

import { cutHostBits } from './check-pool.ts';
import { parseSubnet } from './ipv4.ts';
import { planNetwork, type Surroundings } from './plan-network.ts';
import type { NetworkFacts, NetworkRequest } from './types.ts';

const ALONE = { takenIpv6: [], isShared: false };

function request(parts: Partial<NetworkRequest> = {}): NetworkRequest {
  return {
    name: 'mine',
    isConfigOnly: false,
    configFrom: '',
    subnet: '',
    gateway: '',
    ipRange: '',
    auxAddresses: {},
    isInternal: false,
    isAttachable: false,
    options: {},
    labels: {},
    ...parts,
  };
}

function plan(
  parts: Partial<NetworkRequest> = {},
  others: readonly string[] = ['172.17.0.0/16'],
): NetworkFacts {
  const base = planNetworkBase();
  const networks = others.map((subnet) => ({ ...base, subnet }));
  return planNetwork(request(parts), {
    networks,
    taken: [parseSubnet('198.18.0.4/31')],
    createdAt: '',
    ...ALONE,
  });
}

function planNetworkBase(): NetworkFacts {
  return planNetwork(request(), { networks: [], taken: [], createdAt: '', ...ALONE });
}

describe('a new network', () => {
  test('gets the next subnet of dockerd’s order, and the ones after that', () => {
    expect(plan()).toMatchObject({ subnet: '172.18.0.0/16', gateway: '172.18.0.1', hasChosenSubnet: false });
    expect(plan({}, ['172.17.0.0/16', '172.18.5.0/24'])).toMatchObject({ subnet: '172.19.0.0/16' });
    const all = ['172.16.0.0/12', '192.168.0.0/17'];
    expect(plan({}, all)).toMatchObject({ subnet: '192.168.128.0/20' });
    expect(() => plan({}, ['172.16.0.0/12', '192.168.0.0/16'])).toThrow('have been fully subnetted');
  });

  test.each([
    [{ subnet: '10.1.0.0/24' }, '10.1.0.1'],
    [{ subnet: '10.1.0.0/24', gateway: '10.1.0.254' }, '10.1.0.254'],
    [{ subnet: '10.1.0.0/24', ipRange: '10.1.0.128/25' }, '10.1.0.128'],
  ])('%j has the gateway %s', (parts, gateway) => {
    expect(plan(parts)).toMatchObject({ gateway, hasChosenSubnet: true });
  });

  test('keeps what is asked of IPv6 without having it, if it says anything', () => {
    const idleIpv6 = { subnet: '2001:db8::/64', gateway: '', ipRange: '', auxAddresses: {} };
    const made = plan({ idleIpv6 });
    expect(made).toMatchObject({ subnet: '172.18.0.0/16', idleIpv6 });
    expect(made).not.toHaveProperty('ipv6');
    expect(() => plan({ idleIpv6: { ...idleIpv6, subnet: 'nope:/64' } })).toThrow('invalid');
    expect(() => plan({ idleIpv6: { ...idleIpv6, gateway: '::g' } })).toThrow('invalid');
  });

  test('is named by an address in it where that is let through', () => {
    const idleIpv6 = { subnet: 'fd00::1/64', gateway: '', ipRange: 'fd00::ff/120', auxAddresses: {} };
    const cut = cutHostBits(
      request({ subnet: '10.1.0.5/24', ipRange: '10.1.0.130/25', ipv6: idleIpv6, idleIpv6 }),
    );
    const whole = { ...idleIpv6, subnet: 'fd00::/64', ipRange: 'fd00::/120' };
    expect(cut).toMatchObject({
      subnet: '10.1.0.0/24',
      ipRange: '10.1.0.128/25',
      ipv6: whole,
      idleIpv6: whole,
    });
    expect(cutHostBits(request({ subnet: 'nope' }))).toEqual(request({ subnet: 'nope' }));
  });

  test('is private where it is in a namespace with others', () => {
    const beside = { networks: [], taken: [], takenIpv6: [], isShared: true, createdAt: '' };
    expect(planNetwork(request({ subnet: '10.1.0.0/24' }), beside).subnet).toBe('10.1.0.0/24');
    for (const subnet of ['8.8.8.0/24', '172.0.0.0/8', '100.64.0.0/10'])
      expect(() => planNetwork(request({ subnet }), beside)).toThrow('only private addresses');
  });

  test.each<[Partial<NetworkRequest>, string]>([
    [{ subnet: '172.17.5.0/24' }, 'Pool overlaps with other one on this address space'],
    [{ subnet: '198.18.0.0/24' }, 'Pool overlaps'],
    [{ subnet: '10.1.0.5/24' }, 'invalid subnet 10.1.0.5/24: it should be 10.1.0.0/24'],
    [{ subnet: '0.0.0.0/0' }, 'invalid subnet'],
    [{ subnet: '127.0.0.0/16' }, 'invalid subnet'],
    [{ subnet: '169.254.0.0/16' }, 'invalid subnet'],
    [{ subnet: '10.1.0.0/31' }, 'invalid subnet'],
    [{ subnet: '10.1.0.0/24; flush ruleset' }, 'invalid subnet'],
    [{ subnet: 'fd00::/64' }, 'invalid'],
    [{ subnet: '10.1.0.0' }, 'invalid subnet 10.1.0.0: invalid CIDR block notation'],
    [{ subnet: '10.1.0.0/024' }, 'invalid subnet 10.1.0.0/024: invalid CIDR block notation'],
    [
      { subnet: '10.1.0.0/24', gateway: '10.2.0.1' },
      "invalid gateway 10.2.0.1: parent subnet 10.1.0.0/24 doesn't contain this address",
    ],
    [{ subnet: '10.1.0.0/24', gateway: 'x' }, 'invalid gateway x: invalid address'],
    [
      { subnet: '10.1.0.0/24', gateway: 'fd00::1' },
      'invalid gateway fd00::1: parent subnet is an IPv4 block',
    ],
    [
      { subnet: '10.1.0.0/24', gateway: '10.1.0.0' },
      'failed to allocate gateway (10.1.0.0): Address already',
    ],
    [{ subnet: '10.1.0.0/24', gateway: '10.1.0.255' }, 'failed to allocate gateway (10.1.0.255)'],
    [{ subnet: '10.1.0.0/24', ipRange: 'x' }, 'invalid ip-range x: invalid CIDR block notation'],
    [{ subnet: '10.1.0.0/24', ipRange: '10.1.0.7/25' }, 'it should be 10.1.0.0/25'],
    [
      { subnet: '10.1.0.0/24', ipRange: '10.2.0.0/25' },
      "invalid ip-range 10.2.0.0/25: parent subnet 10.1.0.0/24 doesn't contain ip-range",
    ],
    [
      { subnet: '10.1.0.0/24', ipRange: '10.0.0.0/8' },
      'invalid ip-range 10.0.0.0/8: CIDR block is bigger than its parent subnet 10.1.0.0/24',
    ],
    [
      { subnet: '10.1.0.0/24', auxAddresses: { a: '10.2.0.1' } },
      "invalid auxiliary address a: parent subnet 10.1.0.0/24 doesn't contain this address",
    ],
    [
      { subnet: '10.1.0.0/24', auxAddresses: { a: '10.1.0.1' } },
      'failed to allocate secondary ip address (a:10.1.0.1): Address already in use',
    ],
    [
      { subnet: '10.1.0.0/24', auxAddresses: { a: '10.1.0.5', b: '10.1.0.5' } },
      'failed to allocate secondary ip address (b:10.1.0.5): Address already in use',
    ],
    [{ gateway: '10.1.0.1' }, 'needs a subnet'],
    [{ auxAddresses: { a: '10.1.0.1' } }, 'needs a subnet'],
    [
      { options: { 'com.docker.network.driver.mtu': 'abc' } },
      'failed to parse com.docker.network.driver.mtu value: abc (strconv.Atoi: parsing "abc": invalid syntax)',
    ],
    [{ options: { 'com.docker.network.driver.mtu': '99999' } }, 'between 68 and 65535'],
    [{ options: { 'com.docker.network.bridge.enable_icc': 'maybe' } }, 'strconv.ParseBool: parsing "maybe"'],
    [{ options: { 'com.docker.network.bridge.host_binding_ipv4': '::1' } }, '(nil ip)'],
    [{ options: { 'com.docker.network.container_iface_prefix': 'a/b' } }, 'not the start of a name'],
    [{ options: { 'com.docker.network.host_ipv4': '1.2.3.4' } }, 'unsupported network option'],
    [{ options: { 'com.docker.network.bridge.gateway_mode_ipv4': 'routed' } }, 'only nat is supported'],
    [{ options: { 'com.docker.network.bridge.inhibit_ipv4': 'true' } }, 'without an address'],
    [{ options: { 'com.docker.network.bridge.trusted_host_interfaces': 'x' } }, 'unsupported network option'],
    [{ options: { 'com.docker.network.bridge.name': '../etc' } }, 'not the name of a link'],
    [{ options: { 'com.docker.network.bridge.name': 'x"; flush' } }, 'not the name of a link'],
    [{ options: { 'com.docker.network.bridge.name': 'sixteen-letters-' } }, 'not the name of a link'],
    [{ options: { 'com.docker.network.bridge.name': 'all' } }, 'not the name of a link'],
  ])('%j is refused', (parts, message) => {
    expect(() => plan(parts)).toThrow(message);
  });

  test('says all that is wrong with its addresses at once', () => {
    expect(() => plan({ subnet: '10.1.0.9/24', gateway: 'x', ipRange: '10.2.0.1/24' })).toThrow(
      [
        'invalid network config:',
        'invalid subnet 10.1.0.9/24: it should be 10.1.0.0/24',
        'invalid ip-range 10.2.0.1/24: it should be 10.2.0.0/24',
        "invalid ip-range 10.2.0.1/24: parent subnet 10.1.0.0/24 doesn't contain ip-range",
        'invalid gateway x: invalid address',
      ].join('\n'),
    );
  });

  describe('names its bridge', () => {
    const named = (name: string): Partial<NetworkRequest> => ({
      options: { 'com.docker.network.bridge.name': name },
    });
    const planAmong = (name: string, around: Partial<Surroundings>): NetworkFacts =>
      planNetwork(request(named(name)), { networks: [], taken: [], createdAt: '', ...ALONE, ...around });

    test('where the namespace is the job’s own', () => {
      expect(planAmong('mybr0', { linkNames: new Set(['lo']) }).bridgeName).toBe('mybr0');
      expect(planAmong('', { linkNames: new Set(['lo']) }).bridgeName).toMatch(/^br-[0-9a-f]{12}$/);
      expect(planAmong('mybr0', {}).bridgeName).toMatch(/^br-[0-9a-f]{12}$/);
    });

    test('unlike another, and unlike what is there', () => {
      const linkNames = new Set(['lo']);
      const other = planAmong('mybr0', { linkNames });
      const same = `conflicts with network ${other.id} (mybr0): networks have same bridge name`;
      expect(() => planAmong('mybr0', { linkNames, networks: [other] })).toThrow(same);
      expect(() => planAmong('mybr0', { networks: [{ ...other, bridgeName: 'br-1' }] })).toThrow(same);
      expect(() => planAmong('lo', { linkNames })).toThrow('existing interface lo is not a bridge');
    });
  });

  test('is one of a bounded number', () => {
    const base = planNetworkBase();
    const networks = Array.from({ length: 256 }, () => base);
    expect(() => planNetwork(request(), { networks, taken: [], createdAt: '', ...ALONE })).toThrow(
      'more than 256 networks',
    );
  });
});
