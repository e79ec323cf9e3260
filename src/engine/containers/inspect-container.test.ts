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
import { maskedPaths, READONLY_PATHS } from '../../oci/paths.ts';
import type { JobStore } from '../../containerd/job-store.ts';
import type { Snapshots } from '../../containerd/types.ts';
import type { JobNetwork } from '../../network/types.ts';
import type { ContainerRecord } from '../../state/container.ts';
import type { Exec } from '../../state/exec.ts';
import type { HostFacts } from '../../host/types.ts';
import type { Job } from '../job.ts';
import { inspectContainer } from './inspect-container.ts';

const IMAGE = makeImage('1a', ['11', '22']);

function jobWith(parts: Partial<ContainerRecord>): Job {
  return makeJob({
    containers: makeContainerStore([makeContainer(parts)]),
    images: makeImages({ 'docker.io/library/busybox:latest': IMAGE }),
    network: partOf<JobNetwork>({ networks: NETWORKS }),
    host: partOf<HostFacts>({ cpus: 2 }),
    store: partOf<JobStore>({
      snapshots: partOf<Snapshots>({
        snapshotter: 'overlayfs',
        usage: async () => ({ sizeBytes: 0, inodes: 1 }),
      }),
    }),
  });
}

const NO_ADDRESSES = {
  EndpointID: '',
  Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  MacAddress: '',
};
const NO_ENDPOINT = {
  ...NO_ADDRESSES,
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  DriverOpts: null,
  GwPriority: 0,
  DNSNames: null,
};

describe('inspectContainer', () => {
  it('has every member for a container that was only created', async () => {
    const config = makeConfig({ ExposedPorts: { '80/tcp': {} } });
    expect(await inspectContainer(jobWith({ config }), 'web', { includeSize: false })).toEqual({
      Id: makeId('c1'),
      Created: '2024-05-06T07:00:00.000000001Z',
      Path: 'sleep',
      Args: ['100'],
      State: {
        Status: 'created',
        Running: false,
        Paused: false,
        Restarting: false,
        OOMKilled: false,
        Dead: false,
        Pid: 0,
        ExitCode: 0,
        Error: '',
        StartedAt: '0001-01-01T00:00:00Z',
        FinishedAt: '0001-01-01T00:00:00Z',
      },
      Image: IMAGE.id,
      ResolvConfPath: '',
      HostnamePath: '',
      HostsPath: '',
      LogPath: '',
      Name: '/web',
      RestartCount: 0,
      Driver: 'overlayfs',
      Platform: 'linux',
      MountLabel: '',
      ProcessLabel: '',
      AppArmorProfile: '',
      ExecIDs: null,
      HostConfig: { ...makeHostConfig(), MaskedPaths: maskedPaths(2), ReadonlyPaths: READONLY_PATHS },
      GraphDriver: { Name: 'overlayfs', Data: null },
      Mounts: [],
      Config: config,
      NetworkSettings: {
        Bridge: '',
        SandboxID: '',
        SandboxKey: '',
        Ports: {},
        HairpinMode: false,
        LinkLocalIPv6Address: '',
        LinkLocalIPv6PrefixLen: 0,
        SecondaryIPAddresses: null,
        SecondaryIPv6Addresses: null,
        ...NO_ADDRESSES,
        Networks: { bridge: { ...NO_ENDPOINT, NetworkID: '' } },
      },
    });
  });

  it('repeats the addresses on the default bridge, and has null for a port that is only exposed', async () => {
    const job = jobWith({
      state: runningSince('2024-05-06T07:08:00Z'),
      config: makeConfig({ ExposedPorts: { '80/tcp': {} } }),
      endpoints: { bridge: makeEndpoint() },
    });
    const addresses = {
      EndpointID: makeId('e1'),
      Gateway: '172.17.0.1',
      IPAddress: '172.17.0.2',
      IPPrefixLen: 16,
      MacAddress: '02:42:ac:11:00:02',
    };
    expect((await inspectContainer(job, 'web', { includeSize: false })).NetworkSettings).toMatchObject({
      ...addresses,
      Ports: { '80/tcp': null },
      Networks: { bridge: { ...NO_ENDPOINT, ...addresses, NetworkID: makeId('b1') } },
    });
  });

  it('keeps the network and loses the endpoint after the exit', async () => {
    const job = jobWith({
      state: exitedAt('2024-05-06T07:08:00Z'),
      hostConfig: makeHostConfig({ NetworkMode: 'none' }),
    });
    const { NetworkSettings } = await inspectContainer(job, 'web', { includeSize: false });
    expect(NetworkSettings).toMatchObject({ Ports: {}, IPAddress: '' });
    expect(NetworkSettings.Networks).toEqual({ none: { ...NO_ENDPOINT, NetworkID: makeId('b3') } });
  });

  it('has no network of its own with that of another container', async () => {
    const job = jobWith({ hostConfig: makeHostConfig({ NetworkMode: 'container:abc' }) });
    expect((await inspectContainer(job, 'web', { includeSize: false })).NetworkSettings.Networks).toEqual({});
  });

  it('shows sizes, zero included, only when asked', async () => {
    expect(await inspectContainer(jobWith({}), 'web', { includeSize: true })).toMatchObject({
      SizeRw: 0,
      SizeRootFs: 200,
    });
  });

  it('shows mounts with the sources that the job knows', async () => {
    const mount = {
      name: '',
      shownSource: '',
      hostPath: '/berth/staging',
      isReadWrite: false,
      mode: 'ro',
      propagation: 'rprivate',
      isAnonymous: false,
    };
    const job = jobWith({
      mounts: [
        { ...mount, type: 'bind', shownSource: '/work/src', destination: '/src' },
        {
          ...mount,
          type: 'volume',
          name: 'v1',
          shownSource: '/var/lib/docker/volumes/v1/_data',
          destination: '/data',
        },
        { ...mount, type: 'tmpfs', hostPath: '', destination: '/tmp' },
      ],
    });
    const inspected = await inspectContainer(job, 'web', { includeSize: false });
    const shown = { Mode: 'ro', RW: false, Propagation: 'rprivate' };
    expect(inspected.Mounts).toEqual([
      { ...shown, Type: 'bind', Source: '/work/src', Destination: '/src' },
      {
        ...shown,
        Type: 'volume',
        Name: 'v1',
        Driver: 'local',
        Source: '/var/lib/docker/volumes/v1/_data',
        Destination: '/data',
      },
      { ...shown, Type: 'tmpfs', Source: '', Destination: '/tmp' },
    ]);
    expect(JSON.stringify(inspected)).not.toContain('/berth');
  });

  it('names the execs that run', async () => {
    const job = jobWith({ state: runningSince('2024-05-06T07:08:00Z') });
    for (const [id, status] of [
      ['e1', 'running'],
      ['e2', 'exited'],
      ['e3', 'created'],
    ] as const) {
      const state = status === 'created' ? { status } : { status, pid: 1, exitCode: 0 };
      job.execs.set(id, partOf<Exec>({ id, state }));
      job.containers.resolve('web').execIds.add(id);
    }
    expect((await inspectContainer(job, 'web', { includeSize: false })).ExecIDs).toEqual(['e1']);
  });

  it('is NotFound for a container that is not there', async () => {
    await expect(inspectContainer(jobWith({}), 'nope', { includeSize: false })).rejects.toThrow(
      'No such container: nope',
    );
  });
});
