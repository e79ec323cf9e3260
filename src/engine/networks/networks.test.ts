import { describe, expect, it } from 'vitest';

import {
  exitedAt,
  makeContainer,
  makeContainerStore,
  makeEndpoint,
  makeHostConfig,
  makeId,
  makeJob,
  NETWORKS,
  partOf,
  runningSince,
} from '../../../test/support/records.ts';
import type { JobNetwork } from '../../network/types.ts';
import type { Job } from '../job.ts';
import { inspectNetwork } from './inspect-network.ts';
import { listNetworks } from './list-networks.ts';

function makeNetworkJob(): Job {
  const endpoints = { bridge: makeEndpoint() };
  return makeJob({
    network: partOf<JobNetwork>({ networks: NETWORKS }),
    containers: makeContainerStore([
      makeContainer({
        state: runningSince('2024-05-06T07:08:00Z'),
        endpoints,
      }),
      makeContainer({ id: makeId('c2'), name: 'gone', state: exitedAt('2024-05-06T07:08:00Z'), endpoints }),
      makeContainer({
        id: makeId('c3'),
        name: 'runner',
        isHidden: true,
        state: runningSince('2024-05-06T07:08:00Z'),
        endpoints,
      }),
      makeContainer({
        id: makeId('c4'),
        name: 'alone',
        state: runningSince('2024-05-06T07:08:00Z'),
        hostConfig: makeHostConfig({ NetworkMode: 'none' }),
        endpoints: {
          none: makeEndpoint({
            networkId: makeId('b3'),
            networkName: 'none',
            ipAddress: '',
            macAddress: '',
            prefixLength: 0,
          }),
        },
      }),
    ]),
  });
}

const COMMON = {
  Created: '2024-05-06T06:00:00Z',
  Scope: 'local',
  EnableIPv4: true,
  EnableIPv6: false,
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
  Labels: {},
};

describe('inspectNetwork', () => {
  it.each(['bridge', makeId('b1'), 'b1'])('finds the default bridge as %s, with what runs on it', (ref) => {
    expect(inspectNetwork(makeNetworkJob(), ref, { scope: '' })).toEqual({
      ...COMMON,
      Name: 'bridge',
      Id: makeId('b1'),
      Driver: 'bridge',
      IPAM: {
        Driver: 'default',
        Options: null,
        Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }],
      },
      Containers: {
        [makeId('c1')]: {
          Name: 'web',
          EndpointID: makeId('e1'),
          MacAddress: '02:42:ac:11:00:02',
          IPv4Address: '172.17.0.2/16',
          IPv6Address: '',
        },
      },
      Options: {
        'com.docker.network.bridge.default_bridge': 'true',
        'com.docker.network.bridge.enable_icc': 'true',
        'com.docker.network.bridge.enable_ip_masquerade': 'true',
        'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
        'com.docker.network.bridge.name': 'docker0',
        'com.docker.network.driver.mtu': '1500',
      },
    });
  });

  it('shows a network without addresses', () => {
    expect(inspectNetwork(makeNetworkJob(), 'none', { scope: 'local' })).toEqual({
      ...COMMON,
      Name: 'none',
      Id: makeId('b3'),
      Driver: 'null',
      IPAM: { Driver: 'default', Options: null, Config: [] },
      Containers: {
        [makeId('c4')]: {
          Name: 'alone',
          EndpointID: makeId('e1'),
          MacAddress: '',
          IPv4Address: '',
          IPv6Address: '',
        },
      },
      Options: {},
    });
  });

  it.each([
    ['zz', '', 'NotFound', 'network zz not found'],
    ['', '', 'NotFound', 'network  not found'],
    ['bridge', 'swarm', 'NotFound', 'network bridge not found'],
    ['b', '', 'InvalidArgument', 'network b is ambiguous (3 matches found based on ID prefix)'],
  ])('refuses %j in scope %j', (...[ref, scope, kind, message]) => {
    expect(() => inspectNetwork(makeNetworkJob(), ref, { scope })).toThrow(
      expect.objectContaining({ kind, message }),
    );
  });
});

describe('listNetworks', () => {
  const list = (filters: Readonly<Record<string, readonly string[]>>): string =>
    listNetworks(makeNetworkJob(), new Map(Object.entries(filters)))
      .map(({ Name }) => Name)
      .join(' ');

  it.each<[Readonly<Record<string, readonly string[]>>, string]>([
    [{}, 'bridge host none'],
    [{ driver: ['null'] }, 'none'],
    [{ type: ['builtin'] }, 'bridge host none'],
    [{ type: ['custom'] }, ''],
    [{ type: ['builtin', 'custom'] }, 'bridge host none'],
    [{ scope: ['local'] }, 'bridge host none'],
    [{ scope: ['xx'] }, ''],
    [{ dangling: ['true'] }, ''],
    [{ dangling: ['false'] }, 'bridge host none'],
    [{ name: ['on'] }, 'none'],
    [{ name: ['^(host|none)$'] }, 'host none'],
    [{ name: ['['] }, ''],
    [{ id: ['^b2'] }, 'host'],
    [{ label: ['x'] }, ''],
  ])('filters by %j', (filters, expected) => {
    expect(list(filters)).toBe(expected);
  });

  it.each<[Readonly<Record<string, readonly string[]>>, string]>([
    [{ nope: ['x'] }, "invalid filter 'nope'"],
    [{ type: ['xx'] }, "invalid filter: 'type'='xx'"],
    [
      { dangling: ['zz'] },
      `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
    ],
  ])('refuses %j', (filters, message) => {
    expect(() => list(filters)).toThrow(message);
  });

  it('names no containers', () => {
    expect(listNetworks(makeNetworkJob(), new Map())[0]?.Containers).toEqual({});
  });
});
