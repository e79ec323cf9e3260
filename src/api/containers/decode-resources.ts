import type {
  DeviceMapping,
  DeviceRequest,
  Resources,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
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
  string,
  type Fields,
} from '../http/decode.ts';

const uint16 = integer('uint16', 0, 65_535);
const uint64 = integer('uint64', 0, Number.MAX_SAFE_INTEGER);

const throttleDevices = list(object<ThrottleDevice>({ Path: string, Rate: uint64 }));
const weightDevices = list(object<WeightDevice>({ Path: string, Weight: uint16 }));
const devices = list(
  object<DeviceMapping>({ PathOnHost: string, PathInContainer: string, CgroupPermissions: string }),
);
const deviceRequests = list(
  object<DeviceRequest>({
    Driver: string,
    Count: int64,
    DeviceIDs: list(string),
    Capabilities: list((value, place) => list(string)(value, place) ?? []),
    Options: map(string),
  }),
);
const ulimits = list(object<Ulimit>({ Name: string, Hard: int64, Soft: int64 }));

/** Decoders of the members that create and update share. */
export const resourceFields: Fields<Resources> = {
  CpuShares: int64,
  Memory: int64,
  NanoCpus: int64,
  CgroupParent: string,
  BlkioWeight: uint16,
  BlkioWeightDevice: weightDevices,
  BlkioDeviceReadBps: throttleDevices,
  BlkioDeviceWriteBps: throttleDevices,
  BlkioDeviceReadIOps: throttleDevices,
  BlkioDeviceWriteIOps: throttleDevices,
  CpuPeriod: int64,
  CpuQuota: int64,
  CpuRealtimePeriod: int64,
  CpuRealtimeRuntime: int64,
  CpusetCpus: string,
  CpusetMems: string,
  Devices: devices,
  DeviceCgroupRules: list(string),
  DeviceRequests: deviceRequests,
  KernelMemory: omitEmpty(int64),
  KernelMemoryTCP: omitEmpty(int64),
  MemoryReservation: int64,
  MemorySwap: int64,
  MemorySwappiness: nullable(int64),
  OomKillDisable: nullable(bool),
  PidsLimit: nullable(int64),
  Ulimits: ulimits,
  CpuCount: int64,
  CpuPercent: int64,
  IOMaximumIOps: uint64,
  IOMaximumBandwidth: uint64,
};
