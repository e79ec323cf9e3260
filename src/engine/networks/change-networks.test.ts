import { describe, expect, it } from 'vitest';

import {
  makeContainer,
  makeContainerStore,
  makeHostConfig,
  makeId,
  makeJob,
  NETWORKS,
  partOf,
  runningSince,
} from '../../../test/support/records.ts';
import { GATE_PARTS } from '../../../test/support/gate-parts.ts';
import type { Containerd, Containers } from '../../containerd/types.ts';
import type { JobNetwork } from '../../network/types.ts';
import type { NetworkCreateRequest } from '../../wire/network.ts';
import type { EndpointSettings } from '../../wire/networking-config.ts';
import { PLAIN_ENDPOINT } from '../containers/container-networks.ts';
import type { ContainerRun } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { connectContainer } from './connect-container.ts';
import { createNetwork } from './create-network.ts';
import { disconnectContainer } from './disconnect-container.ts';
import { pruneNetworks } from './prune-networks.ts';
import { removeNetwork } from './remove-network.ts';

function makeNetworkJob(): Job {
  const up = makeContainer({ id: makeId('c5'), name: 'up', state: runningSince('2024-05-06T07:00:00Z') });
  up.run = partOf<ContainerRun>({});
  return makeJob({
    ...GATE_PARTS,
    network: partOf<JobNetwork>({ networks: NETWORKS }),
    containers: makeContainerStore([
      up,
      makeContainer({}),
      makeContainer({
        id: makeId('c4'),
        name: 'alone',
        hostConfig: makeHostConfig({ NetworkMode: 'none' }),
      }),
    ]),
  });
}

describe('changes of networks', () => {
  const request = (parts: Partial<NetworkCreateRequest>): NetworkCreateRequest => ({
    Name: 'mine',
    CheckDuplicate: true,
    Driver: '',
    Scope: '',
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigOnly: false,
    ConfigFrom: { Network: '' },
    EnableIPv4: null,
    EnableIPv6: null,
    IPAM: { Driver: '', Options: null, Config: null },
    Options: null,
    Labels: null,
    ...parts,
  });
  const create =
    (parts: Partial<NetworkCreateRequest>) =>
    (job: Job): Promise<unknown> =>
      createNetwork(job, request(parts));
  const connect =
    (networkRef: string, containerRef: string, parts: Partial<EndpointSettings> = {}) =>
    (job: Job): Promise<unknown> =>
      connectContainer(job, networkRef, {
        Container: containerRef,
        EndpointConfig: { ...PLAIN_ENDPOINT, ...parts },
      });
  const manySubnets = [{ Subnet: '10.1.0.0/24' }, { Subnet: '10.2.0.0/24' }];

  it.each<[string, (job: Job) => Promise<unknown>, string, string]>([
    [
      'a predefined name',
      create({ Name: 'bridge' }),
      'PermissionDenied',
      'operation is not permitted on predefined bridge network',
    ],
    ['no name', create({ Name: '' }), 'InvalidArgument', 'invalid network name: name is empty'],
    ['a name that is a path', create({ Name: '../x' }), 'InvalidArgument', 'invalid network name: "../x"'],
    ['a long name', create({ Name: 'x'.repeat(1e6) }), 'InvalidArgument', 'invalid network name'],
    ['an unknown driver', create({ Driver: 'macvlan' }), 'NotFound', 'plugin "macvlan" not found'],
    [
      'the driver host',
      create({ Driver: 'host' }),
      'PermissionDenied',
      'only one instance of "host" network is allowed',
    ],
    [
      'the driver overlay',
      create({ Driver: 'overlay' }),
      'PermissionDenied',
      'This node is not a swarm manager.',
    ],
    ['another scope', create({ Scope: 'global' }), 'NotImplemented', 'scope global is not supported'],
    [
      "a swarm's scope",
      create({ Scope: 'swarm' }),
      'PermissionDenied',
      'cannot create a swarm scoped network when swarm is not active',
    ],
    [
      'an ingress network',
      create({ Ingress: true }),
      'PermissionDenied',
      'Ingress network can only be global scope network',
    ],
    ['no IPv4', create({ EnableIPv4: false }), 'NotImplemented', 'EnableIPv4=false is not supported'],
    [
      'another IPAM driver',
      create({ IPAM: { Driver: 'x', Options: null, Config: null } }),
      'NotFound',
      'plugin "x" not found',
    ],
    [
      'two subnets',
      create({ IPAM: { Driver: '', Options: null, Config: manySubnets } }),
      'PermissionDenied',
      "bridge driver doesn't support multiple subnets",
    ],
    ['huge labels', create({ Labels: { x: 'y'.repeat(1e5) } }), 'InvalidArgument', 'more than 65536 bytes'],
    [
      'removal of a predefined one',
      (job) => removeNetwork(job, 'host'),
      'PermissionDenied',
      'host is a pre-defined network and cannot be removed',
    ],
    ['removal of an absent one', (job) => removeNetwork(job, 'zz'), 'NotFound', 'network zz not found'],
    [
      'connect to the same',
      connect('bridge', 'up'),
      'PermissionDenied',
      'endpoint with name up already exists in network bridge',
    ],
    [
      'connect of one without a network',
      connect('bridge', 'alone'),
      'InvalidArgument',
      'in private (none) mode',
    ],
    ['connect to none', connect('none', 'web'), 'InvalidArgument', 'in private (none) mode'],
    ['connect to host', connect('host', 'web'), 'InvalidArgument', 'connected to host network'],
    ['connect of an absent one', connect('none', 'zz'), 'NotFound', 'No such container: zz'],
    ['connect to an absent one', connect('zz', 'web'), 'NotFound', 'network zz not found'],
    [
      'connect with a bad alias',
      connect('bridge', 'web', { Aliases: ['a b'] }),
      'InvalidArgument',
      'invalid network alias',
    ],
    [
      'connect with driver options',
      connect('bridge', 'web', { DriverOpts: { 'com.docker.network.x': 'y' } }),
      'InvalidArgument',
      'unsupported endpoint driver option',
    ],
    [
      'disconnect from another',
      (job) => disconnectContainer(job, 'none', { Container: 'web', Force: false }),
      'Conflict',
      `container ${makeId('c1')} is not connected to network none`,
    ],
    [
      'disconnect from host',
      (job) => disconnectContainer(job, 'host', { Container: 'web', Force: false }),
      'InvalidArgument',
      'disconnected from host network',
    ],
  ])('%s is refused', async (...[, change, kind, message]) => {
    await expect(change(makeNetworkJob())).rejects.toThrow(
      expect.objectContaining({ kind, message: expect.stringContaining(message) as string }),
    );
  });

  it('connect of a container that does not run is what it asks for next, and no event', async () => {
    const job = makeNetworkJob();
    const containers = partOf<Containers>({ update: async () => partOf({}) });
    const changed = makeJob({
      containers: job.containers,
      network: job.network,
      settings: job.settings,
      host: job.host,
      budget: job.budget,
      containerd: partOf<Containerd>({ containers }),
    });
    await connect('bridge', 'web', { MacAddress: '02:42:ac:11:00:09' })(changed);
    expect(changed.containers.resolve('web').record.networks['bridge']?.MacAddress).toBe('02:42:ac:11:00:09');
    expect(changed.events.recent()).toEqual([]);
  });

  it('prune keeps predefined ones, and checks its filters', async () => {
    const job = makeNetworkJob();
    expect(await pruneNetworks(job, new Map([['until', ['1h']]]))).toEqual({ NetworksDeleted: null });
    expect(job.events.recent()).toMatchObject([
      { type: 'network', action: 'prune', attributes: { reclaimed: '0' } },
    ]);
    await expect(pruneNetworks(job, new Map([['nope', []]]))).rejects.toThrow("invalid filter 'nope'");
    await expect(pruneNetworks(job, new Map([['until', ['bad']]]))).rejects.toThrow('failed to parse value');
  });
});
