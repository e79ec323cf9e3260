import { formatTimeNs } from '../../lib/clock.ts';
import { resolveAllowPrivileged } from '../../policy/allow-privileged.ts';
import type { Container } from '../../state/container.ts';
import { BERTH_VERSION } from '../../version.ts';
import type { InfoCommit, SystemInfo } from '../../wire/system-info.ts';
import type { Job } from '../job.ts';
import { SHOWN_ROOT } from '../volumes/describe-volume.ts';

type Counts = Pick<SystemInfo, 'Containers' | 'ContainersRunning' | 'ContainersPaused' | 'ContainersStopped'>;
type Limits = Pick<
  SystemInfo,
  | 'MemoryLimit'
  | 'SwapLimit'
  | 'KernelMemoryTCP'
  | 'CpuCfsPeriod'
  | 'CpuCfsQuota'
  | 'CPUShares'
  | 'CPUSet'
  | 'PidsLimit'
  | 'OomKillDisable'
>;
type Machine = Pick<
  SystemInfo,
  | 'IPv4Forwarding'
  | 'BridgeNfIptables'
  | 'BridgeNfIp6tables'
  | 'CgroupDriver'
  | 'CgroupVersion'
  | 'KernelVersion'
  | 'OperatingSystem'
  | 'OSVersion'
  | 'OSType'
  | 'Architecture'
  | 'NCPU'
  | 'MemTotal'
  | 'Name'
>;

function countContainers(containers: readonly Container[]): Counts {
  const count = (isCounted: (container: Container) => boolean): number => containers.filter(isCounted).length;
  return {
    Containers: containers.length,
    ContainersRunning: count(({ record: { state } }) => state.status === 'running' && !state.isPaused),
    ContainersPaused: count(({ record: { state } }) => state.status === 'running' && state.isPaused),
    ContainersStopped: count(({ record: { state } }) => state.status !== 'running'),
  };
}

function limits({ host }: Job): Limits {
  const { limits: can } = host;
  return {
    MemoryLimit: can.memory,
    SwapLimit: can.swap,
    KernelMemoryTCP: can.kernelMemoryTcp,
    CpuCfsPeriod: can.cpuCfsPeriod,
    CpuCfsQuota: can.cpuCfsQuota,
    CPUShares: can.cpuShares,
    CPUSet: can.cpuSet,
    PidsLimit: can.pids,
    OomKillDisable: can.oomKillDisable,
  };
}

/** The machine as the job may use it: tools size themselves by what it says. */
function machine({ host, budget }: Job): Machine {
  return {
    IPv4Forwarding: host.ipv4Forwarding,
    BridgeNfIptables: host.bridgeNfIptables,
    BridgeNfIp6tables: host.bridgeNfIp6tables,
    CgroupDriver: 'cgroupfs',
    CgroupVersion: host.cgroupVersion,
    KernelVersion: host.kernelVersion,
    OperatingSystem: host.osName,
    OSVersion: host.osVersion,
    OSType: 'linux',
    Architecture: host.machine,
    NCPU: Math.ceil(budget.cpus),
    MemTotal: budget.memoryBytes,
    Name: host.hostname,
  };
}

/** What this machine cannot limit, in the words of `docker info`, and how else it is weak. */
function warnings({ host, hostWarnings }: Job): readonly string[] | null {
  const { limits: can } = host;
  const missing: readonly (readonly [isPresent: boolean, what: string])[] = [
    [can.memory, 'No memory limit support'],
    [can.swap, 'No swap limit support'],
    [can.cpuCfsQuota, 'No cpu cfs quota support'],
    [can.cpuCfsPeriod, 'No cpu cfs period support'],
    [can.cpuShares, 'No cpu shares support'],
    [can.cpuSet, 'No cpuset support'],
    [can.pids, 'No pids limit support'],
    [host.ipv4Forwarding, 'IPv4 forwarding is disabled'],
  ];
  const lacks = missing.filter(([isPresent]) => !isPresent).map(([, what]) => what);
  const found = [...lacks, ...hostWarnings].map((what) => `WARNING: ${what}`);
  return found.length === 0 ? null : found;
}

function securityOptions({ host }: Job): readonly string[] {
  return [
    ...(host.hasAppArmor ? ['name=apparmor'] : []),
    ...(host.hasSeccomp ? ['name=seccomp,profile=builtin'] : []),
    // With cgroup v1 containers share the host's view of cgroups.
    ...(host.cgroupVersion === '2' ? ['name=cgroupns'] : []),
  ];
}

function registryConfig({ settings }: Job): SystemInfo['RegistryConfig'] {
  const isCidr = (one: string): boolean => one.includes('/');
  const insecure = settings.insecureRegistries.filter((one) => !isCidr(one));
  const index = (Name: string, Secure: boolean): SystemInfo['RegistryConfig']['IndexConfigs'][string] => ({
    Name,
    Mirrors: [],
    Secure,
    Official: Name === 'docker.io',
  });
  return {
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', ...settings.insecureRegistries.filter(isCidr)],
    IndexConfigs: Object.fromEntries([
      ['docker.io', index('docker.io', true)],
      ...insecure.map((name) => [name, index(name, false)] as const),
    ]),
    Mirrors: [],
  };
}

async function commits(
  job: Job,
): Promise<Pick<SystemInfo, 'ContainerdCommit' | 'RuncCommit' | 'InitCommit'>> {
  const idOf = async (id: Promise<string>): Promise<InfoCommit> => ({ ID: await id.catch(() => 'N/A') });
  const [ContainerdCommit, RuncCommit] = await Promise.all([
    idOf(job.containerd.version.version().then(({ revision }) => revision)),
    idOf(job.runtimeVersion().then(({ commit }) => commit)),
  ]);
  return { ContainerdCommit, RuncCommit, InitCommit: { ID: 'N/A' } };
}

/** Where dockerd shows what its operator says of it: whether privileges can be had, and what is behind them. */
function fenceLabels({ settings }: Job): readonly string[] {
  const { allowed, rules, fence } = resolveAllowPrivileged(settings);
  const opens = rules.length > 0 ? 'by-rule' : String(allowed);
  return [`berth.fence=${fence}`, `berth.allow_privileged=${opens}`];
}

/** Facts about the machine and the job: nothing in it counts or names what other jobs have. */
export async function systemInfo(job: Job): Promise<SystemInfo> {
  return {
    ID: job.daemonId,
    ...countContainers(job.containers.list()),
    Images: job.images.list().length,
    Driver: job.store.snapshots.snapshotter,
    // What a daemon with containerd's image store says; clients look for it to know how images are kept.
    DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: ['json-file', 'local', 'none'],
    },
    ...limits(job),
    ...machine(job),
    Debug: job.settings.logLevel === 'debug',
    NFd: -1,
    NGoroutines: -1,
    SystemTime: formatTimeNs(job.nowNs()),
    LoggingDriver: 'json-file',
    NEventsListener: 0,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryConfig(job),
    GenericResources: null,
    DockerRootDir: SHOWN_ROOT,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Labels: fenceLabels(job),
    ExperimentalBuild: false,
    ServerVersion: BERTH_VERSION,
    Runtimes: { runc: { path: 'runc' }, 'io.containerd.runc.v2': { path: 'runc' } },
    DefaultRuntime: 'runc',
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: 'docker-init',
    ...(await commits(job)),
    SecurityOptions: securityOptions(job),
    CDISpecDirs: [],
    Warnings: warnings(job),
  };
}
