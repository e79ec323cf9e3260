import { readFile } from 'node:fs/promises';

import { readCgroupStats, readOomKills, type CgroupStats } from './cgroup-stats.ts';
import { shareByKey } from '../lib/share-by-key.ts';
import { isErrno, toEngineError } from './errors.ts';
import type { HostCgroups } from './types.ts';

/** What an interface has received and sent. */
export interface InterfaceCounters {
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly receiveErrors: number;
  readonly receiveDrops: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly sendErrors: number;
  readonly sendDrops: number;
}

/** The processors' time since boot, all of them together, idle or not. */
export interface ProcessorTime {
  readonly totalNs: number;
  readonly processors: number;
}

/** Reads the kernel's counters for stats. */
export interface Meter {
  /** Undefined when the cgroup is gone. */
  cgroup(cgroup: string): Promise<CgroupStats | undefined>;
  /** Processes that the kernel has killed in the cgroup for want of memory. */
  oomKills(cgroup: string): Promise<number>;
  processors(): Promise<ProcessorTime>;
  /** The interfaces of the process's network namespace, without loopback; undefined when it has ended. */
  interfaces(pid: number): Promise<Readonly<Record<string, InterfaceCounters>> | undefined>;
}

const nsPerTick = 1e7;
/** user, nice, system, idle, iowait, irq and softirq: those that dockerd adds up. */
const countedFields = 7;

/** Makes a meter of this host. Who asks for what is being read shares the answer: thousands who look take no more files. */
export function createMeter(cgroups: HostCgroups): Meter {
  const readProcessors = shareByKey(async (file: string) => parseProcessorTime(await readFile(file, 'utf8')));
  return {
    cgroup: shareByKey((cgroup) => readCgroupStats(cgroups, cgroup)),
    // Not shared: it is asked for what has happened by now.
    oomKills: (cgroup) => readOomKills(cgroups, cgroup),
    processors: () => readProcessors('/proc/stat'),
    interfaces: shareByKey(readInterfaces),
  };
}

async function readInterfaces(pid: number): Promise<Readonly<Record<string, InterfaceCounters>> | undefined> {
  try {
    return parseInterfaces(await readFile(`/proc/${pid}/net/dev`, 'utf8'));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EINVAL')) return undefined;
    throw toEngineError(error, 'cannot read network counters');
  }
}

/** Reads the text of /proc/stat. */
export function parseProcessorTime(text: string): ProcessorTime {
  const [, ticks = ''] = /^cpu +(.*)$/m.exec(text) ?? [];
  const counted = ticks.split(' ').slice(0, countedFields).map(Number);
  return {
    totalNs: counted.reduce((sum, value) => sum + value, 0) * nsPerTick,
    processors: [...text.matchAll(/^cpu\d+ /gm)].length,
  };
}

/** Reads the text of /proc/net/dev. */
export function parseInterfaces(text: string): Readonly<Record<string, InterfaceCounters>> {
  const found = Object.create(null) as Record<string, InterfaceCounters>;
  for (const [, name = '', counters = ''] of text.matchAll(/^ *([^\s:]+):(.*)$/gm)) {
    if (name === 'lo') continue;
    const values = counters.trim().split(/\s+/).map(Number);
    const at = (index: number): number => values[index] ?? 0;
    found[name] = {
      receivedBytes: at(0),
      receivedPackets: at(1),
      receiveErrors: at(2),
      receiveDrops: at(3),
      sentBytes: at(8),
      sentPackets: at(9),
      sendErrors: at(10),
      sendDrops: at(11),
    };
  }
  return found;
}
