import { PLAIN_ENDPOINT } from '../../src/engine/containers/container-networks.ts';
import { newContainer } from '../../src/engine/containers/new-container.ts';
import type { Job } from '../../src/engine/job.ts';
import type { Endpoint, NetworkFacts } from '../../src/network/types.ts';
import { createContainerStore, type ContainerStore } from '../../src/state/container-store.ts';
import type { Container, ContainerRecord } from '../../src/state/container.ts';
import { createEventLog } from '../../src/state/event-log.ts';
import type { Image, ImageStore } from '../../src/state/image-store.ts';
import type { ImageConfig } from '../../src/oci/image-config.ts';
import type { ContainerConfig } from '../../src/wire/container-config.ts';
import type { HostConfig, Resources } from '../../src/wire/host-config.ts';

/** Now, as far as a job made by `makeJob` knows. */
export const NOW = '2024-05-06T07:08:09.000000000Z';

/** 64 hex digits that begin with the given ones. */
export function makeId(start: string): string {
  return start.padEnd(64, '0');
}

/** A container's configuration with nothing set, but for what is given. */
export function makeConfig(parts: Partial<ContainerConfig> = {}): ContainerConfig {
  return {
    Hostname: 'host',
    Domainname: '',
    User: '',
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: ['sleep', '100'],
    Image: 'busybox',
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    OnBuild: null,
    Labels: null,
    ...parts,
  };
}

/** A host configuration with dockerd's defaults, but for what is given. */
export function makeHostConfig(parts: Partial<HostConfig> = {}): HostConfig {
  return {
    Binds: null,
    ContainerIDFile: '',
    LogConfig: { Type: 'json-file', Config: {} },
    NetworkMode: 'bridge',
    PortBindings: {},
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    AutoRemove: false,
    VolumeDriver: '',
    VolumesFrom: null,
    ConsoleSize: [0, 0],
    CapAdd: null,
    CapDrop: null,
    CgroupnsMode: 'private',
    Dns: null,
    DnsOptions: null,
    DnsSearch: null,
    ExtraHosts: null,
    GroupAdd: null,
    IpcMode: 'private',
    Cgroup: '',
    Links: null,
    OomScoreAdj: 0,
    PidMode: '',
    Privileged: false,
    PublishAllPorts: false,
    ReadonlyRootfs: false,
    SecurityOpt: null,
    UTSMode: '',
    UsernsMode: '',
    ShmSize: 67108864,
    Runtime: 'runc',
    Isolation: '',
    MaskedPaths: null,
    ReadonlyPaths: null,
    ...makeResources(),
    ...parts,
  };
}

function makeResources(): Resources {
  return {
    CpuShares: 0,
    Memory: 0,
    NanoCpus: 0,
    CgroupParent: '',
    BlkioWeight: 0,
    BlkioWeightDevice: null,
    BlkioDeviceReadBps: null,
    BlkioDeviceWriteBps: null,
    BlkioDeviceReadIOps: null,
    BlkioDeviceWriteIOps: null,
    CpuPeriod: 0,
    CpuQuota: 0,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: '',
    CpusetMems: '',
    Devices: null,
    DeviceCgroupRules: null,
    DeviceRequests: null,
    MemoryReservation: 0,
    MemorySwap: 0,
    MemorySwappiness: null,
    OomKillDisable: null,
    PidsLimit: null,
    Ulimits: null,
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
  };
}

/** A created container's record, but for what is given. */
export function makeRecord(parts: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    version: 1,
    id: makeId('c1'),
    name: 'web',
    createdAt: '2024-05-06T07:00:00.000000001Z',
    imageId: `sha256:${makeId('1a')}`,
    manifestDigest: `sha256:${makeId('2a')}`,
    chainId: `sha256:${makeId('3a')}`,
    config: makeConfig(),
    hostConfig: makeHostConfig(),
    networkingConfig: { EndpointsConfig: {} },
    argv: ['sleep', '100'],
    mounts: [],
    warnings: [],
    state: { status: 'created', lastError: '', lastExitCode: 0 },
    restartCount: 0,
    isStopRequested: false,
    isRootfsTouched: false,
    endpoints: {},
    ports: [],
    links: [],
    networks: initialNetworks(parts.hostConfig?.NetworkMode ?? 'bridge'),
    isHidden: false,
    ...parts,
  };
}

function initialNetworks(mode: string): ContainerRecord['networks'] {
  return mode.startsWith('container:') ? {} : { [mode]: PLAIN_ENDPOINT };
}

/** A container with this record, without live parts. */
export function makeContainer(parts: Partial<ContainerRecord> = {}): Container {
  return newContainer(makeRecord(parts), []);
}

/** The state of a container that has run since the given time. */
export function runningSince(startedAt: string, isPaused = false): ContainerRecord['state'] {
  return { status: 'running', pid: 4242, startedAt, isPaused };
}

/** The state of a container that ended at the given time. */
export function exitedAt(
  finishedAt: string,
  exitCode = 0,
): Extract<ContainerRecord['state'], { status: 'exited' }> {
  return {
    status: 'exited',
    startedAt: '2024-05-06T07:00:01Z',
    exitCode,
    finishedAt,
    isOomKilled: false,
    error: '',
  };
}

/** An endpoint on the default bridge of `makeJob`. */
export function makeEndpoint(parts: Partial<Endpoint> = {}): Endpoint {
  return {
    networkId: makeId('b1'),
    networkName: 'bridge',
    endpointId: makeId('e1'),
    macAddress: '02:42:ac:11:00:02',
    ipAddress: '172.17.0.2',
    prefixLength: 16,
    gateway: '172.17.0.1',
    interfaceName: 'eth0',
    gwPriority: 0,
    dnsNames: [],
    links: [],
    ...parts,
  };
}

/** The three predefined networks. */
export const NETWORKS: readonly NetworkFacts[] = [
  makeNetwork('bridge', {
    id: makeId('b1'),
    subnet: '172.17.0.0/16',
    gateway: '172.17.0.1',
    bridgeName: 'docker0',
  }),
  makeNetwork('host', { id: makeId('b2') }),
  makeNetwork('null', { id: makeId('b3'), name: 'none' }),
];

function makeNetwork(driver: NetworkFacts['driver'], parts: Partial<NetworkFacts>): NetworkFacts {
  return {
    id: '',
    name: driver,
    driver,
    createdAt: '2024-05-06T06:00:00Z',
    subnet: '',
    gateway: '',
    bridgeName: '',
    isPredefined: true,
    ipRange: '',
    auxAddresses: {},
    hasChosenSubnet: false,
    isInternal: false,
    isAttachable: false,
    options: {},
    labels: {},
    ...parts,
  };
}

/** A store that holds these containers under their names. */
export function makeContainerStore(containers: readonly Container[]): ContainerStore {
  const store = createContainerStore();
  for (const container of containers) {
    store.reserveName(container.record.name, container.id);
    store.add(container);
  }
  return store;
}

/** A job of the parts given, a clock that stands near `NOW` and an event log; reading any other member is an error. */
export function makeJob(parts: Partial<Job>): Job {
  let nowNs = BigInt(Date.parse(NOW)) * 1_000_000n;
  const clock = (): bigint => (nowNs += 1n);
  const given: Partial<Job> = { nowNs: clock, events: createEventLog(clock), execs: new Map(), ...parts };
  return new Proxy(given, {
    get(target, name) {
      if (!(name in target)) throw new Error(`the test's job has no ${String(name)}`);
      return target[name as keyof Job];
    },
  }) as Job;
}

/** A part of the job of which only some members are there; using any other is an error. */
export function partOf<T extends object>(members: Partial<T>): T {
  return new Proxy(members, {
    get(target, name) {
      // A promise asks whether what it resolves to is another promise.
      if (!(name in target) && name !== 'then' && typeof name === 'string')
        throw new Error(`the test's part has no ${name}`);
      return target[name as keyof T];
    },
  }) as T;
}

/** An image whose layers have these ids (their digits' beginnings) and 100 bytes each. */
export function makeImage(
  idStart: string,
  layerStarts: readonly string[],
  steps = layerStarts.length,
): Image {
  const layers = layerStarts.map((start) => ({
    blob: { mediaType: '', digest: `sha256:${makeId(start)}`, size: 10 },
    diffId: `sha256:${makeId(start)}`,
    chainId: `sha256:${makeId(start)}`,
    sizeBytes: 100,
  }));
  const config = partOf<ImageConfig>({
    diffIds: layers.map(({ diffId }) => diffId),
    history: Array.from({ length: steps }, () => partOf({})),
  });
  const manifest = { mediaType: '', digest: `sha256:${makeId(`f${idStart}`)}`, size: 10 };
  const chainId = layers.at(-1)?.chainId ?? '';
  return { id: `sha256:${makeId(idStart)}`, manifest, config, layers, chainId, parentId: '' };
}

/** The readable side of an image store with these images under these full names. */
export function makeImages(images: Readonly<Record<string, Image>>): ImageStore {
  const all = Object.values(images);
  return partOf<ImageStore>({
    get: (id) => all.find((image) => image.id === id),
    list: () => all,
    findByIdPrefix: (prefix) => all.filter(({ id }) => id.startsWith(`sha256:${prefix}`)),
    findName(name) {
      const image = new Map(Object.entries(images)).get(name);
      const facts = { kind: 'tag', isPulled: false, taggedAt: new Date(0) } as const;
      return image && { ...facts, name, imageId: image.id, image, target: image.manifest, members: [] };
    },
  });
}
