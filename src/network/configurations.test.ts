import { describe, expect, test } from 'vitest';

import { applyConfiguration, planConfiguration, refuseUsedConfiguration } from './configurations.ts';
import type { NetworkFacts, NetworkRequest } from './types.ts';

function request(parts: Partial<NetworkRequest> = {}): NetworkRequest {
  return {
    name: 'made',
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

const own = { subnet: '10.1.0.0/24', gateway: '10.1.0.9', options: { o: 'p' }, labels: { a: 'b' } };
const configuration = (): NetworkFacts =>
  planConfiguration(request({ name: 'conf', isConfigOnly: true, ...own }), 'then');

describe('a configuration', () => {
  test('has nothing of a network but what is asked for', () => {
    expect(configuration()).toMatchObject({
      driver: 'null',
      createdAt: 'then',
      subnet: '',
      bridgeName: '',
      options: { o: 'p' },
      configuration: { subnet: '10.1.0.0/24', gateway: '10.1.0.9' },
    });
  });

  test('has to make sense, in both families', () => {
    const plan = (parts: Partial<NetworkRequest>) => () => planConfiguration(request(parts), '');
    expect(plan({ subnet: 'nope' })).toThrow('invalid subnet nope: invalid CIDR block notation');
    const ipv6 = { subnet: 'fd00::/64', gateway: 'x', ipRange: '', auxAddresses: {} };
    expect(plan({ ipv6 })).toThrow('invalid gateway x: invalid address');
  });

  test('gives its addresses, options and labels to who names it, and nothing else', () => {
    const asked = request({ configFrom: 'conf', isInternal: true });
    expect(applyConfiguration(asked, [configuration()])).toEqual({ ...asked, ...own });
  });

  test.each(['conf', 'nope'])('%s that is not one is not there', (configFrom) => {
    const { id, name, driver, createdAt, subnet, gateway, bridgeName } = configuration();
    const plain = { isPredefined: false, ipRange: '', auxAddresses: {}, hasChosenSubnet: false };
    const flags = { isInternal: false, isAttachable: false, options: {}, labels: {} };
    const bridged = { id, name, driver, createdAt, subnet, gateway, bridgeName, ...plain, ...flags };
    expect(() => applyConfiguration(request({ configFrom }), [bridged])).toThrow(
      `configuration network "${configFrom}" does not exist`,
    );
  });

  test('is not named by its id', () => {
    const there = configuration();
    expect(() => applyConfiguration(request({ configFrom: there.id }), [there])).toThrow('does not exist');
  });

  test('stays while a network made from it does', () => {
    const there = configuration();
    const made = { ...there, name: 'made', configFrom: 'conf' };
    expect(() => {
      refuseUsedConfiguration(there, [there, made]);
    }).toThrow('error while removing network: configuration network "conf" is in use');
    expect(() => {
      refuseUsedConfiguration(there, [there, { ...made, configFrom: 'other' }]);
    }).not.toThrow();
  });
});
