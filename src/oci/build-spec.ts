import type { Admitted } from '../policy/admitted.ts';
import type { CheckedCreate } from '../policy/privileged-gate.ts';
import type { HostConfig } from '../wire/host-config.ts';
import { capabilitySets } from './capabilities.ts';
import { buildMounts, INIT_DESTINATION, type ContainerFiles, type PreparedMount } from './mounts.ts';
import { maskedPaths, READONLY_PATHS } from './paths.ts';
import { buildDevices, type DeviceSettings } from './devices.ts';
import { buildResources } from './resources.ts';
import { defaultSeccomp, ownSeccomp } from './seccomp.ts';
import type {
  OciDevice,
  OciNamespace,
  OciProcess,
  OciResources,
  OciRlimit,
  OciSpec,
  OciUser,
  SpecHost,
} from './spec-types.ts';

/** Everything a container's runtime spec is made from. */
export interface SpecInput {
  /** With the image's configuration merged in. */
  readonly admitted: Admitted<CheckedCreate>;
  readonly argv: readonly string[];
  /** Complete, as `buildEnv` makes it. */
  readonly env: readonly string[];
  readonly user: OciUser;
  /** Relative to the bundle, or absolute. */
  readonly rootfsPath: string;
  readonly netnsPath: string;
  /** Host paths of what it has with other containers, where its modes ask for that. */
  readonly joined: { readonly pid: string; readonly ipc: string; readonly sharedMemory: string };
  /** Absolute within the cgroup tree. */
  readonly cgroupPath: string;
  readonly hostname: string;
  readonly files: ContainerFiles;
  readonly mounts: readonly PreparedMount[];
  /** Host path of the program for `--init`. */
  readonly initPath: string;
  /** Nodes of the host; a container gets those that it was admitted with. */
  readonly devices?: readonly OciDevice[];
  /** Names in /sys/kernel/security/apparmor/profiles; only a loaded profile can be asked of the runtime. */
  readonly loadedAppArmorProfiles?: readonly string[];
  readonly host: SpecHost & { readonly cpus: number };
}

const OCI_VERSION = '1.0.2';

/** The runtime spec of an admitted request, and which of Docker's walls this machine does not have. */
export function buildSpec(input: SpecInput): {
  readonly spec: OciSpec;
  readonly warnings: readonly string[];
} {
  const { admitted, host } = input;
  const { hostConfig, security } = admitted;
  const devices = buildDevices(hostConfig, input.devices ?? []);
  const spec: OciSpec = {
    ociVersion: OCI_VERSION,
    process: buildProcess(input),
    root: { path: input.rootfsPath, readonly: hostConfig.ReadonlyRootfs },
    ...(hostConfig.UTSMode === 'host' ? {} : { hostname: input.hostname }),
    mounts: buildMounts({
      hostConfig,
      isSysWritable: security.privileged,
      isCgroupWritable: security.writableCgroups,
      files: input.files,
      mounts: input.mounts,
      initPath: hasInit(hostConfig) ? input.initPath : undefined,
      sharedMemory: input.joined.sharedMemory,
      host,
    }),
    linux: {
      cgroupsPath: input.cgroupPath,
      namespaces: namespacesOf(hostConfig, input),
      resources: withDeviceRules(buildResources(hostConfig, security.privileged), devices),
      devices: devices.nodes,
      sysctl: sysctlsOf(admitted),
      ...filterOf(admitted, host),
      ...pathsOf(admitted, host),
    },
  };
  return { spec, warnings: missingWalls(input) };
}

function withDeviceRules(resources: OciResources, { rules }: DeviceSettings): OciResources {
  return { ...resources, devices: [...resources.devices, ...rules] };
}

function filterOf({ security }: CheckedCreate, host: SpecHost): Pick<OciSpec['linux'], 'seccomp'> {
  const { seccomp, capabilities } = security;
  if (seccomp === 'unconfined' || !host.hasSeccomp) return {};
  return {
    seccomp:
      seccomp === 'default' ? defaultSeccomp(capabilities, host) : ownSeccomp(seccomp, capabilities, host),
  };
}

function pathsOf(
  { hostConfig, security }: CheckedCreate,
  host: { readonly cpus: number },
): Pick<OciSpec['linux'], 'maskedPaths' | 'readonlyPaths'> {
  return security.privileged
    ? { maskedPaths: [], readonlyPaths: [] }
    : {
        maskedPaths: hostConfig.MaskedPaths ?? maskedPaths(host.cpus),
        readonlyPaths: hostConfig.ReadonlyPaths ?? READONLY_PATHS,
      };
}

/** The profile the process runs under: none where the kernel has no AppArmor, or has not been given the profile. */
function appArmorOf({ admitted, host, loadedAppArmorProfiles = [] }: SpecInput): string | undefined {
  const { appArmor: profile } = admitted.security;
  return host.hasAppArmor && loadedAppArmorProfiles.includes(profile) ? profile : undefined;
}

function missingWalls(input: SpecInput): readonly string[] {
  const { security } = input.admitted;
  const isProfileMissing =
    input.host.hasAppArmor && security.appArmor !== 'unconfined' && appArmorOf(input) === undefined;
  return [
    ...(security.seccomp !== 'unconfined' && !input.host.hasSeccomp
      ? ['Your kernel does not support seccomp; the container runs without a filter.']
      : []),
    ...(isProfileMissing
      ? [`AppArmor profile ${security.appArmor} is not loaded; the container runs without it.`]
      : []),
  ];
}

function hasInit(hostConfig: HostConfig): boolean {
  return hostConfig.Init === true && hostConfig.PidMode === '';
}

function buildProcess(input: SpecInput): OciProcess {
  const { admitted, argv, env, user } = input;
  const { config, hostConfig, security } = admitted;
  const [height, width] = hostConfig.ConsoleSize;
  const profile = appArmorOf(input);
  return {
    terminal: config.Tty,
    ...(config.Tty && height > 0 && width > 0 ? { consoleSize: { height, width } } : {}),
    user,
    args: hasInit(hostConfig) ? [INIT_DESTINATION, '--', ...argv] : argv,
    env,
    cwd: config.WorkingDir || '/',
    capabilities: capabilitySets(security.capabilities),
    rlimits: rlimitsOf(hostConfig),
    noNewPrivileges: security.noNewPrivileges,
    ...(profile === undefined ? {} : { apparmorProfile: profile }),
    ...(hostConfig.OomScoreAdj === 0 ? {} : { oomScoreAdj: hostConfig.OomScoreAdj }),
  };
}

function rlimitsOf(hostConfig: HostConfig): readonly OciRlimit[] {
  const limit = (value: number): OciRlimit['hard'] => (value === -1 ? 'unlimited' : value);
  return (hostConfig.Ulimits ?? []).map(({ Name: name, Hard: hard, Soft: soft }) => ({
    type: `RLIMIT_${name.toUpperCase()}`,
    hard: limit(hard),
    soft: limit(soft),
  }));
}

function namespacesOf(
  hostConfig: HostConfig,
  { netnsPath, joined }: Pick<SpecInput, 'netnsPath' | 'joined'>,
): readonly OciNamespace[] {
  const asked: readonly (readonly [OciNamespace, string])[] = [
    [{ type: 'uts' }, hostConfig.UTSMode],
    [isJoined(hostConfig.PidMode) ? { type: 'pid', path: joined.pid } : { type: 'pid' }, hostConfig.PidMode],
    [isJoined(hostConfig.IpcMode) ? { type: 'ipc', path: joined.ipc } : { type: 'ipc' }, hostConfig.IpcMode],
    [{ type: 'cgroup' }, hostConfig.CgroupnsMode],
  ];
  return [
    { type: 'mount' },
    { type: 'network', path: netnsPath },
    ...asked.flatMap(([namespace, mode]) => (mode === 'host' ? [] : [namespace])),
  ];
}

function isJoined(mode: string): boolean {
  return mode.startsWith('container:');
}

function sysctlsOf({ config, hostConfig }: CheckedCreate): Readonly<Record<string, string>> {
  const isOwnNetwork = hostConfig.NetworkMode !== 'host' && !hostConfig.NetworkMode.startsWith('container:');
  return {
    ...(isOwnNetwork
      ? { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' }
      : {}),
    // Runtimes before runc 1.2 do not know the spec's own member for it.
    ...(config.Domainname !== '' && hostConfig.UTSMode !== 'host'
      ? { 'kernel.domainname': config.Domainname }
      : {}),
    ...hostConfig.Sysctls,
  };
}
