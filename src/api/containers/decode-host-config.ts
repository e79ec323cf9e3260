import { ShapeError } from '../../errors.ts';
import type {
  BindOptions,
  HostConfig,
  LogConfig,
  MountRequest,
  PortBinding,
  RestartPolicy,
  TmpfsOptions,
  VolumeOptions,
} from '../../wire/host-config.ts';
import {
  bool,
  int64,
  integer,
  list,
  map,
  nullable,
  object,
  omitEmpty,
  optional,
  string,
  stringOrList,
  type Decoder,
} from '../http/decode.ts';
import { resourceFields } from './decode-resources.ts';
import { soundsElevating } from './elevating-names.ts';

const uint32 = integer('uint32', 0, 0xff_ff_ff_ff);

const logConfig = object<LogConfig>({
  Type: string,
  Config: (value, place) => map(string)(value, place) ?? {},
});

const portBinding = object<PortBinding>({ HostIp: string, HostPort: string });

const restartPolicy = object<RestartPolicy>({ Name: string, MaximumRetryCount: int64 });

/** Height and width; missing ones are 0, as in Go's arrays. */
export const consoleSize: Decoder<readonly [height: number, width: number]> = (value, place) => {
  const sizes = list(integer('uint', 0, 65_535))(value, place) ?? [];
  if (sizes.length > 2) {
    throw new ShapeError(`invalid JSON: ${place.path}: more than a height and a width`);
  }
  return [sizes[0] ?? 0, sizes[1] ?? 0];
};

const bindOptions = object<BindOptions>({
  Propagation: omitEmpty(string),
  NonRecursive: omitEmpty(bool),
  CreateMountpoint: omitEmpty(bool),
  ReadOnlyNonRecursive: omitEmpty(bool),
  ReadOnlyForceRecursive: omitEmpty(bool),
});

const volumeOptions = object<VolumeOptions>({
  NoCopy: omitEmpty(bool),
  Labels: omitEmpty(map(string)),
  Subpath: omitEmpty(string),
  DriverConfig: optional(
    object<NonNullable<VolumeOptions['DriverConfig']>>({
      Name: omitEmpty(string),
      Options: omitEmpty(map(string)),
    }),
  ),
});

const tmpfsOptions = object<TmpfsOptions>({
  SizeBytes: omitEmpty(int64),
  Mode: omitEmpty(uint32),
  Options: omitEmpty(list((value, place) => list(string)(value, place) ?? [])),
});

const mountRequest = object<MountRequest>(
  {
    Type: omitEmpty(string),
    Source: omitEmpty(string),
    Target: omitEmpty(string),
    ReadOnly: omitEmpty(bool),
    Consistency: omitEmpty(string),
    BindOptions: optional(bindOptions),
    VolumeOptions: optional(volumeOptions),
    ImageOptions: optional(object<NonNullable<MountRequest['ImageOptions']>>({ Subpath: omitEmpty(string) })),
    TmpfsOptions: optional(tmpfsOptions),
    ClusterOptions: optional(object<NonNullable<MountRequest['ClusterOptions']>>({})),
  },
  { isRefused: () => true },
);

/** `HostConfig` of a create request, without dockerd's defaults. */
export const hostConfig: Decoder<HostConfig> = object<HostConfig>(
  {
    ...resourceFields,
    Binds: list(string),
    ContainerIDFile: string,
    LogConfig: logConfig,
    NetworkMode: string,
    PortBindings: (value, place) => map(list(portBinding))(value, place) ?? {},
    RestartPolicy: restartPolicy,
    AutoRemove: bool,
    VolumeDriver: string,
    VolumesFrom: list(string),
    ConsoleSize: consoleSize,
    Annotations: omitEmpty(map(string)),
    CapAdd: stringOrList,
    CapDrop: stringOrList,
    CgroupnsMode: string,
    Dns: list(string),
    DnsOptions: list(string),
    DnsSearch: list(string),
    ExtraHosts: list(string),
    GroupAdd: list(string),
    IpcMode: string,
    Cgroup: string,
    Links: list(string),
    OomScoreAdj: int64,
    PidMode: string,
    Privileged: bool,
    PublishAllPorts: bool,
    ReadonlyRootfs: bool,
    SecurityOpt: list(string),
    StorageOpt: omitEmpty(map(string)),
    Tmpfs: omitEmpty(map(string)),
    UTSMode: string,
    UsernsMode: string,
    ShmSize: int64,
    Sysctls: omitEmpty(map(string)),
    Runtime: string,
    Isolation: string,
    Mounts: omitEmpty(list(mountRequest)),
    MaskedPaths: list(string),
    ReadonlyPaths: list(string),
    Init: (value, place) => nullable(bool)(value, place) ?? undefined,
  },
  { isRefused: soundsElevating },
);
