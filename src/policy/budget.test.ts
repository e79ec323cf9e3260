import { describe, expect, test } from 'vitest';

import { admitBody, gateWith } from '../../test/support/gate-fixtures.ts';
import { makeConfig, makeHostConfig } from '../../test/support/records.ts';
import { decodeUpdate } from '../api/containers/decode-update.ts';
import type { HostConfig } from '../wire/host-config.ts';
import type { GateContext } from './gate-context.ts';
import { admitUpdate } from './privileged-gate.ts';

const GIB = 2 ** 30;
const CLOSED = gateWith(false);
const GATE: GateContext = {
  ...CLOSED,
  budget: { ...CLOSED.budget, memoryBytes: GIB, cpus: 1.5, pids: 100 },
};

const ABOVE: readonly (readonly [
  name: string,
  asked: object,
  taken: Partial<HostConfig>,
  warning: string,
])[] = [
  ['memory', { Memory: 2 * GIB }, { Memory: GIB, MemorySwap: GIB }, 'Memory is cut to'],
  ['memory with swap', { Memory: GIB / 2, MemorySwap: 4 * GIB }, { MemorySwap: GIB }, 'MemorySwap is cut to'],
  [
    'a reservation',
    { MemoryReservation: 2 * GIB },
    { MemoryReservation: GIB },
    'MemoryReservation is cut to',
  ],
  ['shared memory', { ShmSize: 2 * GIB }, { ShmSize: GIB }, 'ShmSize is cut to'],
  ['CPUs', { NanoCpus: 2e9 }, { NanoCpus: 15e8 }, "cut to the job's budget, 1.5 CPUs"],
  ['a quota', { CpuQuota: 200_000 }, { CpuQuota: 150_000 }, "cut to the job's budget, 1.5 CPUs"],
  [
    'a quota of another period',
    { CpuPeriod: 10_000, CpuQuota: 20_000 },
    { CpuPeriod: 10_000, CpuQuota: 15_000 },
    "cut to the job's budget, 1.5 CPUs",
  ],
  ['processes', { PidsLimit: 1000 }, { PidsLimit: 100 }, "cut to the job's budget, 100."],
];

describe('a limit above the budget is cut to it, with a warning', () => {
  test.each(ABOVE)('create: %s', (...[, asked, taken, warning]) => {
    const { admitted, warnings } = admitBody({ HostConfig: asked }, GATE);
    expect(admitted.hostConfig).toMatchObject(taken);
    expect(warnings).toEqual([expect.stringContaining(warning)]);
  });

  test.each(ABOVE.filter(([name]) => name !== 'shared memory'))(
    'update: %s',
    (...[, asked, taken, warning]) => {
      const present = {
        config: makeConfig(),
        hostConfig: makeHostConfig(),
        networkingConfig: { EndpointsConfig: {} },
      };
      const { request } = decodeUpdate(Buffer.from(JSON.stringify(asked)), '1.51');
      const { admitted, warnings } = admitUpdate(present, request, GATE);
      expect(admitted.hostConfig).toMatchObject(taken);
      expect(warnings).toEqual([expect.stringContaining(warning)]);
    },
  );

  test('what is within it, and no limit at all, stay as they are', () => {
    const within = { Memory: GIB / 2, NanoCpus: 15e8, PidsLimit: 100, CpuQuota: 0 };
    const { admitted, warnings } = admitBody({ HostConfig: within }, GATE);
    expect({ warnings, hostConfig: admitted.hostConfig }).toMatchObject({ warnings: [], hostConfig: within });
    const unlimited = admitBody({ HostConfig: { PidsLimit: -1, MemorySwap: -1 } }, GATE);
    expect({ warnings: unlimited.warnings, limit: unlimited.admitted.hostConfig.PidsLimit }).toEqual({
      warnings: [],
      limit: null,
    });
  });

  test('more CPUs than the machine has are an error, as with dockerd', () => {
    expect(() => admitBody({ HostConfig: { NanoCpus: 5e9 } }, GATE)).toThrow(
      'Range of CPUs is from 0.01 to 4.00',
    );
  });
});
