import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { readCgroupStats } from './cgroup-stats.ts';
import { createMeter, parseInterfaces, parseProcessorTime } from './meter.ts';
import { createHostCgroups } from './cgroups.ts';
import type { CgroupMode, HostCgroups } from './types.ts';

const V1 = {
  'cpuacct/c/cpuacct.usage': '3000000000\n',
  'cpuacct/c/cpuacct.usage_percpu': '1000000000 2000000000 \n',
  'cpuacct/c/cpuacct.stat': 'user 200\nsystem 100\n',
  'cpu/c/cpu.stat': 'nr_periods 7\nnr_throttled 3\nthrottled_time 55\n',
  'memory/c/memory.usage_in_bytes': '1000\n',
  'memory/c/memory.max_usage_in_bytes': '2000\n',
  'memory/c/memory.failcnt': '4\n',
  'memory/c/memory.limit_in_bytes': '9223372036854771712\n',
  'memory/c/memory.stat': 'cache 10\ntotal_inactive_file 20\n',
  'pids/c/pids.current': '5\n',
  'pids/c/pids.max': '50\n',
  'blkio/c/blkio.bfq.io_service_bytes_recursive': 'Total 0\n',
  'blkio/c/blkio.throttle.io_service_bytes_recursive':
    '8:16 Read 4096\n8:16 Write 1\n8:16 Total 4097\nTotal 4097\n',
  'blkio/c/blkio.throttle.io_serviced_recursive': '8:16 Read 2\nTotal 2\n',
};

const V2 = {
  'c/cpu.stat':
    'usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\nnr_periods 7\nnr_throttled 3\nthrottled_usec 5\n',
  'c/memory.current': '1000\n',
  'c/memory.max': '6291456\n',
  'c/memory.peak': '2000\n',
  'c/memory.events': 'low 0\noom 4\noom_kill 1\n',
  'c/memory.stat': 'anon 10\ninactive_file 20\n',
  'c/pids.current': '5\n',
  'c/pids.max': 'max\n',
  'c/io.stat': '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=16 dios=1\n259:1 rbytes=1 wbytes=0\n',
};

describe('a cgroup', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'berth-meter-'));
    for (const [mode, files] of Object.entries({ v1: V1, v2: V2 }))
      for (const [path, text] of Object.entries(files)) {
        await mkdir(join(directory, mode, path, '..'), { recursive: true });
        await writeFile(join(directory, mode, path), text);
      }
  });
  afterAll(() => rm(directory, { recursive: true }));

  function cgroupsAt(mode: CgroupMode, cgroupExists = true): HostCgroups {
    const rootOf = (controller: string): string => join(directory, mode, mode === 'v1' ? controller : '');
    return { mode, rootOf, exists: () => Promise.resolve(cgroupExists) } as unknown as HostCgroups;
  }

  test('v1', async () => {
    expect(await readCgroupStats(cgroupsAt('v1'), '/c')).toEqual({
      cpu: {
        totalNs: 3e9,
        userNs: 2e9,
        kernelNs: 1e9,
        perCpuNs: [1e9, 2e9],
        periods: 7,
        throttledPeriods: 3,
        throttledNs: 55,
      },
      memory: {
        usageBytes: 1000,
        maxUsageBytes: 2000,
        failures: 4,
        limitBytes: undefined,
        stats: { cache: 10, total_inactive_file: 20 },
      },
      pids: { current: 5, limit: 50 },
      blockIo: {
        bytes: [
          { major: 8, minor: 16, operation: 'read', value: 4096 },
          { major: 8, minor: 16, operation: 'write', value: 1 },
          { major: 8, minor: 16, operation: 'total', value: 4097 },
        ],
        operations: [{ major: 8, minor: 16, operation: 'read', value: 2 }],
      },
    });
  });

  test('v2', async () => {
    expect(await readCgroupStats(cgroupsAt('v2'), '/c')).toEqual({
      cpu: {
        totalNs: 3e6,
        userNs: 2e6,
        kernelNs: 1e6,
        perCpuNs: undefined,
        periods: 7,
        throttledPeriods: 3,
        throttledNs: 5000,
      },
      memory: {
        usageBytes: 1000,
        maxUsageBytes: 2000,
        failures: 4,
        limitBytes: 6291456,
        stats: { anon: 10, inactive_file: 20 },
      },
      pids: { current: 5, limit: undefined },
      blockIo: {
        bytes: [
          { major: 8, minor: 0, operation: 'read', value: 4096 },
          { major: 8, minor: 0, operation: 'write', value: 8192 },
          { major: 259, minor: 1, operation: 'read', value: 1 },
          { major: 259, minor: 1, operation: 'write', value: 0 },
        ],
        operations: undefined,
      },
    });
  });

  test('one that is gone has no counters', async () => {
    expect(await readCgroupStats(cgroupsAt('v1', false), '/c')).toBeUndefined();
  });
});

test('the time of all processors is the sum of the first seven fields', () => {
  const text = 'cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu1 0 0 0 0 0 0 0 0 0 0\nintr 5\n';
  expect(parseProcessorTime(text)).toEqual({ totalNs: 28e7, processors: 2 });
});

test('interfaces are read without loopback, also where a number follows the colon', () => {
  const text = [
    'Inter-|   Receive  |  Transmit',
    ' face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed',
    '    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0',
    '  eth0:1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0',
  ].join('\n');
  expect({ ...parseInterfaces(text) }).toEqual({
    eth0: {
      receivedBytes: 1,
      receivedPackets: 2,
      receiveErrors: 3,
      receiveDrops: 4,
      sentBytes: 5,
      sentPackets: 6,
      sendErrors: 7,
      sendDrops: 8,
    },
  });
});

describe('this host', () => {
  test('has processors, and a process that is gone has no interfaces', async () => {
    const meter = createMeter(await createHostCgroups());
    const { totalNs, processors } = await meter.processors();
    expect(totalNs).toBeGreaterThan(0);
    expect(processors).toBeGreaterThan(0);
    expect(await meter.interfaces(process.pid)).toBeDefined();
    const child = spawn('true');
    const { pid = 0 } = child;
    await once(child, 'close');
    expect(await meter.interfaces(pid)).toBeUndefined();
  });
});
