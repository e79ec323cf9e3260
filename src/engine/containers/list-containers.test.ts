import { describe, expect, it } from 'vitest';

import {
  exitedAt,
  makeConfig,
  makeContainer,
  makeContainerStore,
  makeEndpoint,
  makeHostConfig,
  makeId,
  makeImage,
  makeImages,
  makeJob,
  NETWORKS,
  partOf,
  runningSince,
} from '../../../test/support/records.ts';
import type { JobStore } from '../../containerd/job-store.ts';
import type { Snapshots } from '../../containerd/types.ts';
import type { JobNetwork } from '../../network/types.ts';
import type { ContainerMount } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { listContainers, type ListOptions } from './list-containers.ts';

const BASE = makeImage('ba5e', ['11']);
const CHILD = makeImage('c41d', ['11', '22']);
const SAME_FILES = makeImage('5a3e', ['11'], 2);
const OTHER = makeImage('07e4', ['33']);

const VOLUME: ContainerMount = {
  type: 'volume',
  name: 'data',
  shownSource: '/var/lib/docker/volumes/data/_data',
  hostPath: '/secret',
  destination: '/data',
  isReadWrite: true,
  mode: 'z',
  propagation: '',
  isAnonymous: false,
};

function job(): Job {
  const containers = [
    makeContainer({
      id: makeId('abc1'),
      name: 'first',
      createdAt: '2024-05-06T07:00:00.000000001Z',
      imageId: BASE.id,
      config: makeConfig({ Image: 'busybox', Labels: { a: 'b' } }),
    }),
    makeContainer({
      id: makeId('abc2'),
      name: 'second',
      createdAt: '2024-05-06T07:00:00.000000002Z',
      imageId: CHILD.id,
      state: runningSince('2024-05-06T07:08:00Z'),
      config: makeConfig({ Image: 'child', Labels: { a: 'b', x: 'y' }, ExposedPorts: { '80/tcp': {} } }),
      endpoints: { bridge: makeEndpoint() },
      mounts: [VOLUME],
    }),
    makeContainer({
      id: makeId('def3'),
      name: 'third',
      createdAt: '2024-05-06T07:00:00.000000003Z',
      imageId: OTHER.id,
      state: exitedAt('2024-05-06T07:06:00Z', 3),
      config: makeConfig({ Image: 'moved' }),
      hostConfig: makeHostConfig({ NetworkMode: 'none' }),
      argv: ['sh', '-c', "echo 'x'", ''],
    }),
    makeContainer({
      id: makeId('fff4'),
      name: 'runner',
      isHidden: true,
      state: runningSince('2024-05-06T07:00:00Z'),
    }),
  ];
  return makeJob({
    containers: makeContainerStore(containers),
    images: makeImages({
      'docker.io/library/busybox:latest': BASE,
      'docker.io/library/child:latest': CHILD,
      'docker.io/library/same:1': SAME_FILES,
      'docker.io/library/moved:latest': BASE,
      'docker.io/library/other:latest': OTHER,
    }),
    network: partOf<JobNetwork>({ networks: NETWORKS }),
    store: partOf<JobStore>({
      snapshots: partOf<Snapshots>({
        usage: async (key) => ({ sizeBytes: key === makeId('abc1') ? 0 : 7, inodes: 1 }),
      }),
    }),
  });
}

async function names(
  options: Partial<Omit<ListOptions, 'filters'>>,
  filters: Record<string, string[]> = {},
): Promise<string> {
  const list = await listContainers(job(), {
    all: false,
    limit: 0,
    includeSize: false,
    ...options,
    filters: new Map(Object.entries(filters)),
  });
  return list.map((summary) => summary.Names.join()).join(' ');
}

describe('listContainers', () => {
  it('shows what runs, or all, newest first, and never a hidden one', async () => {
    expect(await names({})).toBe('/second');
    expect(await names({ all: true })).toBe('/third /second /first');
  });

  it.each([
    [1, '/third'],
    [2, '/third /second'],
    [-1, '/second'],
  ])('counts stopped containers with limit %d', async (limit, expected) => {
    expect(await names({ limit })).toBe(expected);
  });

  it('applies the limit after the filters', async () => {
    expect(await names({ limit: 1 }, { status: ['created'] })).toBe('/first');
  });

  it.each<[Record<string, string[]>, string, string]>([
    [{ status: ['created'] }, '/first', '/first'],
    [{ status: ['running', 'exited'] }, '/third /second', '/third /second'],
    [{ exited: ['3'] }, '', '/third'],
    [{ exited: ['0'] }, '', ''],
    [{ status: ['exited'], exited: ['3', '137'] }, '/third', '/third'],
    [{ id: ['abc'] }, '/second', '/second /first'],
    [{ id: ['^def'] }, '', '/third'],
    [{ name: ['second'] }, '/second', '/second'],
    [{ name: ['^/?second$'] }, '/second', '/second'],
    [{ name: ['/first'] }, '', '/first'],
    [{ name: ['r'] }, '', '/third /first'],
    [{ name: ['['] }, '', ''],
    [{ label: ['x'] }, '/second', '/second'],
    [{ label: ['a=b', 'x=y'] }, '/second', '/second'],
    [{ label: ['a=c'] }, '', ''],
    [{ before: ['second'] }, '', '/first'],
    [{ since: ['first'] }, '/second', '/third /second'],
    [{ ancestor: ['busybox'] }, '/second', '/second /first'],
    [{ ancestor: [`sha256:${makeId('c41d')}`] }, '/second', '/second'],
    [{ ancestor: ['same:1'] }, '/second', '/second'],
    [{ ancestor: ['c41d'] }, '/second', '/second'],
    [{ ancestor: ['nope', 'other'] }, '', '/third'],
    [{ ancestor: ['nope'] }, '', ''],
    [{ volume: ['data'] }, '/second', '/second'],
    [{ volume: ['/data'] }, '/second', '/second'],
    [{ volume: ['/dat'] }, '', ''],
    [{ volume: ['/secret'] }, '', ''],
    [{ network: ['bridge'] }, '/second', '/second /first'],
    [{ network: ['none'] }, '', '/third'],
    [{ network: ['b1'] }, '/second', '/second'],
    [{ network: ['bri'] }, '', ''],
    [{ expose: ['80'] }, '/second', '/second'],
    [{ expose: ['70-90/tcp'] }, '/second', '/second'],
    [{ expose: ['80/udp'] }, '', ''],
    [{ publish: ['80'] }, '', ''],
    [{ health: ['none'] }, '/second', '/third /second /first'],
    [{ health: ['healthy'] }, '', ''],
    [{ 'is-task': ['true'] }, '', ''],
    [{ 'is-task': ['false'] }, '/second', '/third /second /first'],
    [{ isolation: ['hyperv'] }, '/second', '/third /second /first'],
  ])('filters by %j', async (filters, running, all) => {
    expect(await names({}, filters)).toBe(running);
    expect(await names({ all: true }, filters)).toBe(all);
  });

  it.each<[Record<string, string[]>, string]>([
    [{ nope: ['x'] }, "invalid filter 'nope'"],
    [{ 'label!': ['x'] }, "invalid filter 'label!'"],
    [{ status: ['xx'] }, "invalid filter 'status=xx'"],
    [{ exited: ['x'] }, 'strconv.Atoi: parsing "x": invalid syntax'],
    [{ 'is-task': ['maybe'] }, "invalid filter 'is-task=[maybe]'"],
    [{ health: ['bad'] }, 'unrecognized filter value for health: bad'],
    [{ before: ['zz'] }, 'No such container: zz'],
    [{ since: [makeId('fff4')] }, `No such container: ${makeId('fff4')}`],
    [
      { publish: ['a-b'] },
      'error while looking up for publish a-b: strconv.ParseUint: parsing "a": invalid syntax',
    ],
    [
      { expose: ['70000'] },
      'error while looking up for expose 70000: strconv.ParseUint: parsing "70000": value out of range',
    ],
    [{ expose: ['9-8'] }, 'error while looking up for expose 9-8: invalid range specified for the Port: 9-8'],
  ])('refuses %j', async (filters, message) => {
    await expect(names({}, filters)).rejects.toThrow(message);
  });

  it('describes a running container whole', async () => {
    const [summary] = await listContainers(job(), {
      all: false,
      limit: 0,
      includeSize: true,
      filters: new Map(),
    });
    expect(summary).toEqual({
      Id: makeId('abc2'),
      Names: ['/second'],
      Image: 'child',
      ImageID: CHILD.id,
      Command: 'sleep 100',
      Created: Date.parse('2024-05-06T07:00:00Z') / 1000,
      Ports: [{ PrivatePort: 80, Type: 'tcp' }],
      SizeRw: 7,
      SizeRootFs: 207,
      Labels: { a: 'b', x: 'y' },
      State: 'running',
      Status: 'Up 9 seconds',
      HostConfig: { NetworkMode: 'bridge' },
      NetworkSettings: {
        Networks: {
          bridge: {
            IPAMConfig: null,
            Links: null,
            Aliases: null,
            DriverOpts: null,
            GwPriority: 0,
            NetworkID: makeId('b1'),
            EndpointID: makeId('e1'),
            Gateway: '172.17.0.1',
            IPAddress: '172.17.0.2',
            IPPrefixLen: 16,
            MacAddress: '02:42:ac:11:00:02',
            IPv6Gateway: '',
            GlobalIPv6Address: '',
            GlobalIPv6PrefixLen: 0,
            DNSNames: null,
          },
        },
      },
      Mounts: [
        {
          Type: 'volume',
          Name: 'data',
          Source: '/var/lib/docker/volumes/data/_data',
          Destination: '/data',
          Driver: 'local',
          Mode: 'z',
          RW: true,
          Propagation: '',
        },
      ],
    });
  });

  it('shows the id of an image whose name leads elsewhere now, quotes words with spaces, and leaves a size of 0 out', async () => {
    const [third, , first] = await listContainers(job(), {
      all: true,
      limit: 0,
      includeSize: true,
      filters: new Map(),
    });
    expect(third).toMatchObject({
      Image: OTHER.id,
      Command: "sh -c 'echo 'x'' ",
      Status: 'Exited (3) 2 minutes ago',
    });
    expect(first).toMatchObject({ Image: 'busybox', SizeRootFs: 100, Labels: { a: 'b' } });
    expect(first).not.toHaveProperty('SizeRw');
  });
});
