/** Which driver keeps a container's output, and its options. */
export interface LogConfig {
  readonly Type: string;
  readonly Config: Readonly<Record<string, string>>;
}

/** One host address and port that a container port is published on; an empty HostPort lets the daemon choose. */
export interface PortBinding {
  readonly HostIp: string;
  readonly HostPort: string;
}

/** When a container that ended is started again. */
export interface RestartPolicy {
  readonly Name: string;
  readonly MaximumRetryCount: number;
}

/** A host device made visible in the container. */
export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

/** Devices asked for from a device driver, GPUs for example. */
export interface DeviceRequest {
  readonly Driver: string;
  readonly Count: number;
  readonly DeviceIDs: readonly string[] | null;
  readonly Capabilities: readonly (readonly string[])[] | null;
  readonly Options: Readonly<Record<string, string>> | null;
}

/** A resource limit of every process; -1 is unlimited. */
export interface Ulimit {
  readonly Name: string;
  readonly Hard: number;
  readonly Soft: number;
}

/** Block I/O weight of one device. */
export interface WeightDevice {
  readonly Path: string;
  readonly Weight: number;
}

/** Block I/O ceiling of one device: bytes or operations per second. */
export interface ThrottleDevice {
  readonly Path: string;
  readonly Rate: number;
}

/** What of a container's resources may also be changed by update. */
export interface Resources {
  readonly CpuShares: number;
  readonly Memory: number;
  readonly NanoCpus: number;
  readonly CgroupParent: string;
  readonly BlkioWeight: number;
  readonly BlkioWeightDevice: readonly WeightDevice[] | null;
  readonly BlkioDeviceReadBps: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteBps: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceReadIOps: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteIOps: readonly ThrottleDevice[] | null;
  readonly CpuPeriod: number;
  readonly CpuQuota: number;
  readonly CpuRealtimePeriod: number;
  readonly CpuRealtimeRuntime: number;
  readonly CpusetCpus: string;
  readonly CpusetMems: string;
  readonly Devices: readonly DeviceMapping[] | null;
  readonly DeviceCgroupRules: readonly string[] | null;
  readonly DeviceRequests: readonly DeviceRequest[] | null;
  readonly KernelMemory?: number;
  readonly KernelMemoryTCP?: number;
  readonly MemoryReservation: number;
  readonly MemorySwap: number;
  readonly MemorySwappiness: number | null;
  readonly OomKillDisable: boolean | null;
  readonly PidsLimit: number | null;
  readonly Ulimits: readonly Ulimit[] | null;
  readonly CpuCount: number;
  readonly CpuPercent: number;
  readonly IOMaximumIOps: number;
  readonly IOMaximumBandwidth: number;
}

/** Options of a bind mount. */
export interface BindOptions {
  readonly Propagation?: string;
  readonly NonRecursive?: boolean;
  readonly CreateMountpoint?: boolean;
  readonly ReadOnlyNonRecursive?: boolean;
  readonly ReadOnlyForceRecursive?: boolean;
}

/** Options of a volume mount. */
export interface VolumeOptions {
  readonly NoCopy?: boolean;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Subpath?: string;
  readonly DriverConfig?: { readonly Name?: string; readonly Options?: Readonly<Record<string, string>> };
}

/** Options of a tmpfs mount; Mode holds permission bits. */
export interface TmpfsOptions {
  readonly SizeBytes?: number;
  readonly Mode?: number;
  readonly Options?: readonly (readonly string[])[];
}

/** A mount as `--mount` asks for it. */
export interface MountRequest {
  readonly Type?: string;
  readonly Source?: string;
  readonly Target?: string;
  readonly ReadOnly?: boolean;
  readonly Consistency?: string;
  readonly BindOptions?: BindOptions;
  readonly VolumeOptions?: VolumeOptions;
  readonly ImageOptions?: { readonly Subpath?: string };
  readonly TmpfsOptions?: TmpfsOptions;
  readonly ClusterOptions?: Readonly<Record<string, never>>;
}

/** The half of a container's configuration that depends on the host; optional members are those that dockerd omits when empty. */
export interface HostConfig extends Resources {
  readonly Binds: readonly string[] | null;
  readonly ContainerIDFile: string;
  readonly LogConfig: LogConfig;
  readonly NetworkMode: string;
  /** Keys are `port/proto`. */
  readonly PortBindings: Readonly<Record<string, readonly PortBinding[] | null>>;
  readonly RestartPolicy: RestartPolicy;
  readonly AutoRemove: boolean;
  readonly VolumeDriver: string;
  readonly VolumesFrom: readonly string[] | null;
  readonly ConsoleSize: readonly [height: number, width: number];
  readonly Annotations?: Readonly<Record<string, string>>;
  readonly CapAdd: readonly string[] | null;
  readonly CapDrop: readonly string[] | null;
  readonly CgroupnsMode: string;
  readonly Dns: readonly string[] | null;
  readonly DnsOptions: readonly string[] | null;
  readonly DnsSearch: readonly string[] | null;
  /** `name:address`. */
  readonly ExtraHosts: readonly string[] | null;
  readonly GroupAdd: readonly string[] | null;
  readonly IpcMode: string;
  readonly Cgroup: string;
  readonly Links: readonly string[] | null;
  readonly OomScoreAdj: number;
  readonly PidMode: string;
  readonly Privileged: boolean;
  readonly PublishAllPorts: boolean;
  readonly ReadonlyRootfs: boolean;
  readonly SecurityOpt: readonly string[] | null;
  readonly StorageOpt?: Readonly<Record<string, string>>;
  /** Keys are mount points, values mount options. */
  readonly Tmpfs?: Readonly<Record<string, string>>;
  readonly UTSMode: string;
  readonly UsernsMode: string;
  readonly ShmSize: number;
  readonly Sysctls?: Readonly<Record<string, string>>;
  readonly Runtime: string;
  readonly Isolation: string;
  readonly Mounts?: readonly MountRequest[];
  /** `null` stands for the daemon's list; an empty list asks for none. */
  readonly MaskedPaths: readonly string[] | null;
  readonly ReadonlyPaths: readonly string[] | null;
  readonly Init?: boolean;
}
