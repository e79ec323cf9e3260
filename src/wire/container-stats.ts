/** One counter of a block device. */
export interface BlkioEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

/** Block I/O counters; null where the kernel does not count them. */
export interface BlkioStats {
  readonly io_service_bytes_recursive: readonly BlkioEntry[] | null;
  readonly io_serviced_recursive: readonly BlkioEntry[] | null;
  readonly io_queue_recursive: readonly BlkioEntry[] | null;
  readonly io_service_time_recursive: readonly BlkioEntry[] | null;
  readonly io_wait_time_recursive: readonly BlkioEntry[] | null;
  readonly io_merged_recursive: readonly BlkioEntry[] | null;
  readonly io_time_recursive: readonly BlkioEntry[] | null;
  readonly sectors_recursive: readonly BlkioEntry[] | null;
}

/** Processor time in nanoseconds; the optional members are left out where nothing runs. */
export interface CpuStats {
  readonly cpu_usage: {
    readonly total_usage: number;
    readonly percpu_usage?: readonly number[];
    readonly usage_in_kernelmode: number;
    readonly usage_in_usermode: number;
  };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
  readonly throttling_data: {
    readonly periods: number;
    readonly throttled_periods: number;
    readonly throttled_time: number;
  };
}

/** Memory in bytes; empty where nothing runs. */
export interface MemoryStats {
  readonly usage?: number;
  readonly max_usage?: number;
  readonly stats?: Readonly<Record<string, number>>;
  readonly failcnt?: number;
  readonly limit?: number;
}

/** Counters of one interface. */
export interface NetworkStats {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}

/** One answer of `GET /containers/{id}/stats`; the `precpu_stats` are those of the answer before. */
export interface ContainerStats {
  readonly read: string;
  readonly preread: string;
  readonly pids_stats: { readonly current?: number; readonly limit?: number };
  readonly blkio_stats: BlkioStats;
  readonly num_procs: number;
  readonly storage_stats: Readonly<Record<string, never>>;
  readonly cpu_stats: CpuStats;
  readonly precpu_stats: CpuStats;
  readonly memory_stats: MemoryStats;
  readonly name: string;
  readonly id: string;
  readonly networks?: Readonly<Record<string, NetworkStats>>;
}
