import type { BlockCount, CgroupStats } from '../../host/cgroup-stats.ts';
import type { InterfaceCounters, ProcessorTime } from '../../host/meter.ts';
import type { Container } from '../../state/container.ts';
import type {
  BlkioEntry,
  BlkioStats,
  ContainerStats,
  CpuStats,
  MemoryStats,
  NetworkStats,
} from '../../wire/container-stats.ts';

const ZERO_TIME = '0001-01-01T00:00:00Z';

const NO_CPU: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

const NO_BLKIO: BlkioStats = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};

/** Counters of a running container, read at one time. */
export interface StatsSample {
  readonly readAt: string;
  readonly cgroup: CgroupStats;
  readonly processors: ProcessorTime;
  /** Undefined for a container that has no interfaces of its own. */
  readonly interfaces: Readonly<Record<string, InterfaceCounters>> | undefined;
  /** What a container without a limit can have. */
  readonly machineMemoryBytes: number;
}

/** The answer for a container that does not run. */
export function emptyStats({ id, record }: Container): ContainerStats {
  return {
    read: ZERO_TIME,
    preread: ZERO_TIME,
    pids_stats: {},
    blkio_stats: NO_BLKIO,
    num_procs: 0,
    storage_stats: {},
    cpu_stats: NO_CPU,
    precpu_stats: NO_CPU,
    memory_stats: {},
    name: `/${record.name}`,
    id,
  };
}

/** The answer for a sample, with the one before it, from whose difference clients tell percentages. */
export function shapeStats(
  container: Container,
  sample: StatsSample,
  before: StatsSample | undefined,
): ContainerStats {
  const { pids, blockIo } = sample.cgroup;
  return {
    ...emptyStats(container),
    read: sample.readAt,
    preread: before?.readAt ?? ZERO_TIME,
    pids_stats: { current: pids.current, ...(pids.limit === undefined ? {} : { limit: pids.limit }) },
    blkio_stats: {
      ...NO_BLKIO,
      io_service_bytes_recursive: blockIo.bytes.map(shapeBlockCount),
      ...(blockIo.operations ? shapeOperations(blockIo.operations) : {}),
    },
    cpu_stats: shapeCpu(sample),
    precpu_stats: before ? shapeCpu(before) : NO_CPU,
    memory_stats: shapeMemory(sample),
    ...(sample.interfaces ? { networks: shapeNetworks(sample.interfaces) } : {}),
  };
}

function shapeBlockCount({ major, minor, operation, value }: BlockCount): BlkioEntry {
  return { major, minor, op: operation, value };
}

/** With cgroup v1 what is not counted is empty, not null. */
function shapeOperations(operations: readonly BlockCount[]): Partial<BlkioStats> {
  return {
    io_serviced_recursive: operations.map(shapeBlockCount),
    io_queue_recursive: [],
    io_service_time_recursive: [],
    io_wait_time_recursive: [],
    io_merged_recursive: [],
    io_time_recursive: [],
    sectors_recursive: [],
  };
}

function shapeCpu({ cgroup: { cpu }, processors }: StatsSample): CpuStats {
  return {
    cpu_usage: {
      total_usage: cpu.totalNs,
      ...(cpu.perCpuNs ? { percpu_usage: cpu.perCpuNs } : {}),
      usage_in_kernelmode: cpu.kernelNs,
      usage_in_usermode: cpu.userNs,
    },
    system_cpu_usage: processors.totalNs,
    online_cpus: processors.processors,
    throttling_data: {
      periods: cpu.periods,
      throttled_periods: cpu.throttledPeriods,
      throttled_time: cpu.throttledNs,
    },
  };
}

function shapeMemory({ cgroup: { memory }, machineMemoryBytes }: StatsSample): MemoryStats {
  return {
    usage: memory.usageBytes,
    ...(memory.maxUsageBytes === undefined ? {} : { max_usage: memory.maxUsageBytes }),
    stats: memory.stats,
    ...(memory.failures === 0 ? {} : { failcnt: memory.failures }),
    limit: Math.min(memory.limitBytes ?? machineMemoryBytes, machineMemoryBytes),
  };
}

function shapeNetworks(
  interfaces: Readonly<Record<string, InterfaceCounters>>,
): Readonly<Record<string, NetworkStats>> {
  return Object.fromEntries(
    Object.entries(interfaces).map(([name, counters]) => [
      name,
      {
        rx_bytes: counters.receivedBytes,
        rx_packets: counters.receivedPackets,
        rx_errors: counters.receiveErrors,
        rx_dropped: counters.receiveDrops,
        tx_bytes: counters.sentBytes,
        tx_packets: counters.sentPackets,
        tx_errors: counters.sendErrors,
        tx_dropped: counters.sendDrops,
      },
    ]),
  );
}
