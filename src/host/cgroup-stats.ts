import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { isErrno, toEngineError } from './errors.ts';
import type { HostCgroups } from './types.ts';

/** Bytes or operations of one block device. */
export interface BlockCount {
  readonly major: number;
  readonly minor: number;
  /** `read`, `write` and, with cgroup v1, `sync`, `async`, `discard`, `total`. */
  readonly operation: string;
  readonly value: number;
}

/** What the kernel counts for one cgroup; undefined where this version of cgroups does not count it. */
export interface CgroupStats {
  readonly cpu: {
    readonly totalNs: number;
    readonly userNs: number;
    readonly kernelNs: number;
    readonly perCpuNs: readonly number[] | undefined;
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNs: number;
  };
  readonly memory: {
    readonly usageBytes: number;
    readonly maxUsageBytes: number | undefined;
    readonly failures: number;
    /** Undefined: none. */
    readonly limitBytes: number | undefined;
    /** The lines of memory.stat. */
    readonly stats: Readonly<Record<string, number>>;
  };
  readonly pids: { readonly current: number; readonly limit: number | undefined };
  readonly blockIo: {
    readonly bytes: readonly BlockCount[];
    /** Undefined with cgroup v2. */
    readonly operations: readonly BlockCount[] | undefined;
  };
}

// The unit of cpuacct.stat: USER_HZ is 100 on every architecture that containers run on.
const nsPerTick = 1e7;
const nsPerUs = 1000;
// Above this a v1 limit only says "none".
const unlimited = 2 ** 62;

type ReadText = (controller: string, file: string) => Promise<string>;

/** A file that this kernel does not have counts as empty; a cgroup that is not there has no counters at all. */
function textReader(cgroups: HostCgroups, cgroup: string): ReadText {
  return async (controller, file) => {
    const root = cgroups.rootOf(controller);
    if (root === undefined) return '';
    try {
      return await readFile(join(root, cgroup, file), 'utf8');
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return '';
      throw toEngineError(error, `cannot read ${file} of a cgroup`);
    }
  };
}

/** Reads what a cgroup has used; undefined when the cgroup is gone. */
export async function readCgroupStats(
  cgroups: HostCgroups,
  cgroup: string,
): Promise<CgroupStats | undefined> {
  if (!(await cgroups.exists(cgroup))) return undefined;
  const read = textReader(cgroups, cgroup);
  return cgroups.mode === 'v2' ? readV2(read) : readV1(read);
}

/** How many processes of the cgroup itself the kernel has killed for want of memory; 0 when the cgroup is gone. */
export async function readOomKills(cgroups: HostCgroups, cgroup: string): Promise<number> {
  const file = cgroups.mode === 'v2' ? 'memory.events' : 'memory.oom_control';
  return parseLines(await textReader(cgroups, cgroup)('memory', file))['oom_kill'] ?? 0;
}

async function readV1(read: ReadText): Promise<CgroupStats> {
  const [usage, perCpu, ticks, throttling, memory, pids, blockIo] = await Promise.all([
    read('cpuacct', 'cpuacct.usage'),
    read('cpuacct', 'cpuacct.usage_percpu'),
    read('cpuacct', 'cpuacct.stat'),
    read('cpu', 'cpu.stat'),
    readMemoryV1(read),
    readPids(read),
    readBlockIoV1(read),
  ]);
  const { user = 0, system = 0 } = parseLines(ticks);
  const { nr_periods = 0, nr_throttled = 0, throttled_time = 0 } = parseLines(throttling);
  return {
    cpu: {
      totalNs: toNumber(usage),
      userNs: user * nsPerTick,
      kernelNs: system * nsPerTick,
      perCpuNs: perCpu.split(/\s+/).filter(Boolean).map(toNumber),
      periods: nr_periods,
      throttledPeriods: nr_throttled,
      throttledNs: throttled_time,
    },
    memory,
    pids,
    blockIo,
  };
}

async function readMemoryV1(read: ReadText): Promise<CgroupStats['memory']> {
  const [usage, maxUsage, failures, limit, stats] = await Promise.all(
    ['usage_in_bytes', 'max_usage_in_bytes', 'failcnt', 'limit_in_bytes', 'stat'].map((name) =>
      read('memory', `memory.${name}`),
    ),
  );
  return {
    usageBytes: toNumber(usage),
    maxUsageBytes: toNumber(maxUsage),
    failures: toNumber(failures),
    limitBytes: toLimit(limit),
    stats: parseLines(stats),
  };
}

// The schedulers count where they are in use; the throttling layer sees the rest.
async function readBlockIoV1(read: ReadText): Promise<CgroupStats['blockIo']> {
  const count = async (name: string): Promise<readonly BlockCount[]> => {
    for (const layer of ['bfq.', '', 'throttle.']) {
      const counts = parseBlkio(await read('blkio', `blkio.${layer}${name}_recursive`));
      if (counts.some(({ value }) => value > 0)) return counts;
    }
    return [];
  };
  const [bytes, operations] = await Promise.all([count('io_service_bytes'), count('io_serviced')]);
  return { bytes, operations };
}

async function readV2(read: ReadText): Promise<CgroupStats> {
  const [cpuText, usage, limit, stats, events, maxUsage, io, pids] = await Promise.all([
    read('cpu', 'cpu.stat'),
    read('memory', 'memory.current'),
    read('memory', 'memory.max'),
    read('memory', 'memory.stat'),
    read('memory', 'memory.events'),
    read('memory', 'memory.peak'),
    read('io', 'io.stat'),
    readPids(read),
  ]);
  const cpu = parseLines(cpuText);
  return {
    cpu: {
      totalNs: (cpu['usage_usec'] ?? 0) * nsPerUs,
      userNs: (cpu['user_usec'] ?? 0) * nsPerUs,
      kernelNs: (cpu['system_usec'] ?? 0) * nsPerUs,
      perCpuNs: undefined,
      periods: cpu['nr_periods'] ?? 0,
      throttledPeriods: cpu['nr_throttled'] ?? 0,
      throttledNs: (cpu['throttled_usec'] ?? 0) * nsPerUs,
    },
    memory: {
      usageBytes: toNumber(usage),
      maxUsageBytes: maxUsage === '' ? undefined : toNumber(maxUsage),
      failures: parseLines(events)['oom'] ?? 0,
      limitBytes: toLimit(limit),
      stats: parseLines(stats),
    },
    pids,
    blockIo: { bytes: parseIoStat(io), operations: undefined },
  };
}

async function readPids(read: ReadText): Promise<CgroupStats['pids']> {
  const [current, limit] = await Promise.all([read('pids', 'pids.current'), read('pids', 'pids.max')]);
  return { current: toNumber(current), limit: toLimit(limit) };
}

/** Lines of a name and a number. */
function parseLines(text = ''): Readonly<Record<string, number>> {
  const lines = text.split('\n').map((line) => line.split(' '));
  return Object.fromEntries(
    lines.flatMap(([name, value]) => (name && value ? [[name, toNumber(value)] as const] : [])),
  );
}

/** Lines such as `8:0 Read 4096`, with a total without a device at the end. */
function parseBlkio(text: string): readonly BlockCount[] {
  return [...text.matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(([, major, minor, operation, value]) => ({
    major: toNumber(major),
    minor: toNumber(minor),
    operation: (operation ?? '').toLowerCase(),
    value: toNumber(value),
  }));
}

/** Lines such as `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. */
function parseIoStat(text: string): readonly BlockCount[] {
  return [...text.matchAll(/^(\d+):(\d+) (.*)$/gm)].flatMap(([, major, minor, rest = '']) =>
    (['read', 'write'] as const).flatMap((operation) => {
      const value = new RegExp(`\\b${operation.charAt(0)}bytes=(\\d+)`).exec(rest)?.[1];
      return value === undefined
        ? []
        : [{ major: toNumber(major), minor: toNumber(minor), operation, value: toNumber(value) }];
    }),
  );
}

function toNumber(text: string | undefined): number {
  const value = Number((text ?? '').trim());
  return Number.isFinite(value) ? value : 0;
}

function toLimit(text: string | undefined): number | undefined {
  const limit = toNumber(text);
  return limit > 0 && limit < unlimited ? limit : undefined;
}
