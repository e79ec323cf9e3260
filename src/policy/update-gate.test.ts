import { describe, expect, test } from 'vitest';

import { makeConfig, makeHostConfig } from '../../test/support/records.ts';
import { gateWith } from '../../test/support/gate-fixtures.ts';
import { decodeUpdate } from '../api/containers/decode-update.ts';
import type { HostConfig, Resources, RestartPolicy } from '../wire/host-config.ts';
import type { UpdateRequest } from '../wire/update-request.ts';
import { admitUpdate } from './privileged-gate.ts';

const MIB = 1024 * 1024;

function asking(resources: Partial<Resources>, restartPolicy?: RestartPolicy): UpdateRequest {
  const body = { ...resources, ...(restartPolicy ? { RestartPolicy: restartPolicy } : {}) };
  return decodeUpdate(Buffer.from(JSON.stringify(body)), '1.51').request;
}

function present(hostConfig: Partial<HostConfig> = {}): Parameters<typeof admitUpdate>[0] {
  return {
    config: makeConfig(),
    hostConfig: makeHostConfig(hostConfig),
    networkingConfig: { EndpointsConfig: {} },
  };
}

describe('an update', () => {
  test('changes what it names and leaves the rest', () => {
    const before = present({
      Memory: 64 * MIB,
      MemorySwap: 128 * MIB,
      CpuShares: 512,
      OomKillDisable: false,
    });
    const { admitted, warnings } = admitUpdate(before, asking({ CpuShares: 256 }), gateWith(false));
    expect(warnings).toEqual([]);
    expect(admitted.hostConfig).toEqual({ ...before.hostConfig, CpuShares: 256 });
  });

  test('sets a restart policy', () => {
    const policy = { Name: 'on-failure', MaximumRetryCount: 3 };
    const { admitted } = admitUpdate(present(), asking({}, policy), gateWith(false));
    expect(admitted.hostConfig.RestartPolicy).toEqual(policy);
  });

  test('no process limit is one that can be asked for', () => {
    const { admitted } = admitUpdate(present({ PidsLimit: 100 }), asking({ PidsLimit: 0 }), gateWith(false));
    expect(admitted.hostConfig.PidsLimit).toBe(0);
  });

  test.each([
    {
      name: 'too little memory',
      resources: { Memory: 1024 },
      message: 'Minimum memory limit allowed is 6MB',
    },
    {
      name: 'swap below the memory there is',
      resources: { MemorySwap: 8 * MIB },
      message: 'Minimum memoryswap limit should be larger than memory limit, see usage',
    },
    { name: 'more processors than there are', resources: { NanoCpus: 1e15 }, message: 'Range of CPUs' },
    { name: 'no list of processors', resources: { CpusetCpus: 'x' }, message: 'Invalid value x' },
  ])('$name is refused as in create', ({ resources, message }) => {
    const before = present({ Memory: 64 * MIB, MemorySwap: 128 * MIB });
    expect(() => admitUpdate(before, asking(resources), gateWith(false))).toThrow(message);
  });

  test('an unknown restart policy is refused', () => {
    const policy = { Name: 'sometimes', MaximumRetryCount: 0 };
    expect(() => admitUpdate(present(), asking({}, policy), gateWith(false))).toThrow(
      "unknown policy 'sometimes'",
    );
  });

  test.each([
    [
      'a device',
      { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/x', CgroupPermissions: 'rwm' }] },
    ],
    ['a rule for devices', { DeviceCgroupRules: ['a *:* rwm'] }],
    ['real-time processor time', { CpuRealtimeRuntime: 1000 }],
    ['processes that are not killed for memory', { OomKillDisable: true }],
  ] as const)('%s is denied as in create', (_name, resources) => {
    expect(() => admitUpdate(present(), asking(resources), gateWith(false))).toThrow(
      expect.objectContaining({ kind: 'PermissionDenied' }),
    );
  });

  test('what cannot be changed later is said, not passed over', () => {
    const ulimits = [{ Name: 'nofile', Soft: 10, Hard: 10 }];
    const { admitted, warnings } = admitUpdate(present(), asking({ Ulimits: ulimits }), gateWith(false));
    expect(warnings).toEqual(['Ulimits cannot be changed by an update. Discarded.']);
    expect(admitted.hostConfig.Ulimits).toBeNull();
  });

  test('values of the creation are not judged again as if they were asked for', () => {
    const { warnings } = admitUpdate(present({ KernelMemory: 1 }), asking({ CpuShares: 2 }), gateWith(false));
    expect(warnings).toEqual([]);
  });
});
