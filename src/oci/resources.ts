import type { Resources } from '../wire/host-config.ts';
import type { OciDeviceRule, OciResources } from './spec-types.ts';

const CFS_PERIOD_US = 100_000;
const NANO = 1e9;

function allowed(major: number, minor: number): OciDeviceRule {
  return { allow: true, type: 'c', major, minor, access: 'rwm' };
}

/** Docker's device cgroup: null, zero, full, random, urandom, tty, console; the runtime adds ptmx and pts. */
const DEFAULT_DEVICE_RULES: readonly OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  allowed(1, 5),
  allowed(1, 3),
  allowed(1, 9),
  allowed(1, 8),
  allowed(1, 7),
  allowed(5, 0),
  allowed(5, 1),
  { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
];

/** Cgroup limits from the gate's version of what was asked; `privileged` opens the device cgroup. */
export function buildResources(host: Resources, privileged: boolean): OciResources {
  const memory = memoryOf(host);
  const cpu = cpuOf(host);
  return {
    devices: privileged ? [{ allow: true, access: 'rwm' }] : DEFAULT_DEVICE_RULES,
    ...(Object.keys(memory).length > 0 ? { memory } : {}),
    ...(Object.keys(cpu).length > 0 ? { cpu } : {}),
    ...(host.PidsLimit !== null && host.PidsLimit > 0 ? { pids: { limit: host.PidsLimit } } : {}),
    ...(host.BlkioWeight > 0 ? { blockIO: { weight: host.BlkioWeight } } : {}),
  };
}

function memoryOf(host: Resources): NonNullable<OciResources['memory']> {
  return {
    ...(host.Memory > 0 ? { limit: host.Memory } : {}),
    ...(host.MemoryReservation > 0 ? { reservation: host.MemoryReservation } : {}),
    // Without a limit there is nothing for a swap limit to be counted from.
    ...(host.MemorySwap > 0 || (host.MemorySwap === -1 && host.Memory > 0) ? { swap: host.MemorySwap } : {}),
    ...(host.MemorySwappiness === null ? {} : { swappiness: host.MemorySwappiness }),
    ...(host.OomKillDisable === true ? { disableOOMKiller: true } : {}),
  };
}

function cpuOf(host: Resources): NonNullable<OciResources['cpu']> {
  const isNano = host.NanoCpus > 0;
  const period = isNano ? CFS_PERIOD_US : host.CpuPeriod;
  const quota = isNano ? Math.floor((host.NanoCpus * CFS_PERIOD_US) / NANO) : host.CpuQuota;
  return {
    ...(host.CpuShares > 0 ? { shares: host.CpuShares } : {}),
    ...(period === 0 ? {} : { period }),
    ...(quota === 0 ? {} : { quota }),
    ...(host.CpusetCpus === '' ? {} : { cpus: host.CpusetCpus }),
    ...(host.CpusetMems === '' ? {} : { mems: host.CpusetMems }),
  };
}
