import { describe, expect, it } from 'vitest';
import {
  admitBody,
  decodeText,
  gateWith,
  OWN_CONTAINER,
  outcomeOf,
} from '../../test/support/gate-fixtures.ts';
import { admitCreate, admitMergedConfig } from './privileged-gate.ts';

describe('admitCreate', () => {
  it.each([
    ['{"Image":""}', 'no command specified'],
    ['{"Image":"","HostConfig":{"Privileged":true}}', 'no command specified'],
    ['{"Cmd":["x"]}', 'Image is required'],
    ['{"Entrypoint":"x"}', 'Image is required'],
  ])('wants an image before anything else: %s', (body, text) => {
    expect(outcomeOf(() => admitCreate(decodeText(body).request, gateWith(false)))).toEqual({
      kind: 'InvalidArgument',
      text,
    });
  });

  it('gives the same answer for what it has admitted', () => {
    const body = {
      HostConfig: {
        Memory: 2 ** 26,
        OomKillDisable: false,
        ShmSize: 2 ** 50,
        CpuShares: 300_000,
        Tmpfs: { '/x': 'size=99g' },
        Ulimits: [{ Name: 'nice', Soft: 5, Hard: 5 }],
        MemorySwappiness: 50,
        CgroupParent: '/x',
        CapAdd: ['SYS_TIME'],
        SecurityOpt: ['no-new-privileges'],
      },
    };
    for (const host of [{}, { cgroupVersion: '2' as const }]) {
      const gate = gateWith(true, host);
      const { admitted } = admitBody(body, gate);
      expect(admitCreate(admitted, gate).admitted).toEqual(admitted);
    }
  });

  it('fills in what dockerd fills in by the machine', () => {
    const { hostConfig } = admitBody({ HostConfig: { Memory: 2 ** 26 } }).admitted;
    expect(hostConfig).toMatchObject({ MemorySwap: 2 ** 27, OomKillDisable: false });
    const { admitted, warnings } = admitBody(
      { HostConfig: { Memory: 2 ** 26 } },
      gateWith(false, { limits: { ...gateWith(false).host.limits, swap: false, oomKillDisable: false } }),
    );
    expect(admitted.hostConfig).toMatchObject({ MemorySwap: -1, OomKillDisable: null });
    expect(warnings).toEqual([
      'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    ]);
  });

  it('decides what the spec builder applies', () => {
    expect(
      admitBody({ HostConfig: { CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges=1'] } }).admitted.security,
    ).toEqual({
      privileged: false,
      capabilities: [],
      seccomp: 'default',
      appArmor: 'docker-default',
      noNewPrivileges: true,
      writableCgroups: false,
    });
    expect(admitBody({ HostConfig: { Privileged: true } }, gateWith(true)).admitted.security).toMatchObject({
      privileged: true,
      seccomp: 'unconfined',
      appArmor: 'unconfined',
      writableCgroups: true,
    });
  });

  it('looks up the containers it refers to', () => {
    expect(
      outcomeOf(() => admitBody({ HostConfig: { NetworkMode: `container:${OWN_CONTAINER.name}` } })).kind,
    ).toBe('admitted');
    expect(outcomeOf(() => admitBody({ HostConfig: { NetworkMode: 'container:x' } })).kind).toBe('NotFound');
  });

  it.each([
    [{ Memory: 1024 }, 'Minimum memory limit allowed is 6MB'],
    [{ MemoryReservation: 1024 }, 'Minimum memory reservation allowed is 6MB'],
    [
      { Memory: 2 ** 26, MemorySwap: 2 ** 25 },
      'Minimum memoryswap limit should be larger than memory limit, see usage',
    ],
    [
      { MemorySwap: 2 ** 25 },
      'You should always set the Memory limit when using Memoryswap limit, see usage',
    ],
    [
      { Memory: 2 ** 25, MemoryReservation: 2 ** 26 },
      'Minimum memory limit can not be less than memory reservation limit, see usage',
    ],
    [{ MemorySwappiness: 101 }, 'Invalid value: 101, valid memory swappiness range is 0-100'],
    [{ NanoCpus: 5e9 }, 'Range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
    [{ NanoCpus: 1 }, 'Range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
    [{ NanoCpus: 1e9, CpuPeriod: 1000 }, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
    [{ NanoCpus: 1e9, CpuQuota: 1000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
    [
      { CpuPeriod: 10 },
      'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    ],
    [{ CpuQuota: 10 }, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
    [{ CpusetCpus: '0,9' }, 'Requested CPUs are not available - requested 0,9, available: 0-3'],
    [{ CpusetCpus: '1-' }, 'Invalid value 1- for cpuset cpus'],
    [{ CpusetMems: '0-1' }, 'Requested memory nodes are not available - requested 0-1, available: 0'],
    [{ CpusetMems: 'a' }, 'Invalid value a for cpuset mems'],
    [{ BlkioWeight: 5 }, 'Range of blkio weight is from 10 to 1000'],
    [{ ShmSize: -1 }, 'SHM size can not be less than 0'],
    [{ OomScoreAdj: 1001 }, 'Invalid value 1001, range for oom score adj is [-1000, 1000]'],
    [
      { AutoRemove: true, RestartPolicy: { Name: 'always' } },
      "can't create 'AutoRemove' container with restart policy",
    ],
    [
      { RestartPolicy: { Name: 'always', MaximumRetryCount: 1 } },
      "invalid restart policy: maximum retry count can only be used with 'on-failure'",
    ],
    [
      { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -1 } },
      'invalid restart policy: maximum retry count cannot be negative',
    ],
    [
      { RestartPolicy: { Name: 'often' } },
      "invalid restart policy: unknown policy 'often'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
    [{ LogConfig: { Type: 'syslog' } }, 'error looking up logging plugin syslog: plugin "syslog" not found'],
    [
      { LogConfig: { Type: 'json-file', Config: { tag: '{{range .ExtraAttributes}}' } } },
      'invalid value for log opt \'tag\': "{{range .ExtraAttributes}}"',
    ],
    [{ LogConfig: { Type: 'local', Config: { env: 'A' } } }, "unknown log opt 'env' for local log driver"],
    [
      { LogConfig: { Type: 'json-file', Config: { splunk: 'x' } } },
      "unknown log opt 'splunk' for json-file log driver",
    ],
    [
      { Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 5 }] },
      'ulimit soft limit must be less than or equal to hard limit: 10 > 5',
    ],
    [{ CapDrop: ['NOPE'] }, 'invalid CapDrop: unknown capability: "CAP_NOPE"'],
    [{ IpcMode: 'x' }, 'invalid IPC mode: x'],
    [{ Isolation: 'hyperv' }, "invalid isolation (hyperv): linux only supports 'default'"],
    [
      { IOMaximumIOps: 1 },
      'Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps',
    ],
    [{ Tmpfs: { '/a': '' }, Mounts: [{ Type: 'tmpfs', Target: '/a' }] }, 'Duplicate mount point: /a'],
  ])('answers %j in the words of dockerd', (hostConfig, text) => {
    expect(outcomeOf(() => admitBody({ HostConfig: hostConfig }))).toEqual({ kind: 'InvalidArgument', text });
  });

  it.each([
    ['memory', { Memory: 2 ** 26 }, { Memory: 0 }],
    ['cpuShares', { CpuShares: 10 }, { CpuShares: 0 }],
    ['cpuCfsQuota', { CpuQuota: 1000 }, { CpuQuota: 0 }],
    ['cpuSet', { CpusetCpus: '0' }, { CpusetCpus: '' }],
    ['pids', { PidsLimit: 5 }, { PidsLimit: null }],
    ['blkioWeight', { BlkioWeight: 10 }, { BlkioWeight: 0 }],
  ])('discards a limit, with a warning, where the kernel has no %s', (limit, asked, effective) => {
    const gate = gateWith(false, { limits: { ...gateWith(false).host.limits, [limit]: false } });
    const { admitted, warnings } = admitBody({ HostConfig: asked }, gate);
    expect(admitted.hostConfig).toMatchObject(effective);
    expect(warnings.join('\n')).toMatch(/Your kernel does not support/);
  });
});

describe('admitMergedConfig', () => {
  it('takes the configuration over', () => {
    const { admitted } = admitBody({});
    const merged = { ...admitted.config, User: 'bin', WorkingDir: '/srv' };
    const result = admitMergedConfig(admitted, merged);
    expect(result.config).toEqual(merged);
    expect(result.hostConfig).toEqual(admitted.hostConfig);
    expect(result.security).toEqual(admitted.security);
  });

  it.each([
    ['a descriptor as working directory', { WorkingDir: '/proc/self/fd/7' }],
    ['a user out of range', { User: '4294967296' }],
    ['a volume at /proc', { Volumes: { '/proc': {} } }],
    ['a volume at /', { Volumes: { '/': {} } }],
    ['an environment entry without name', { Env: ['=x'] }],
  ])('refuses an image with %s', (_, config) => {
    const { admitted } = admitBody({});
    expect(() => admitMergedConfig(admitted, { ...admitted.config, ...config })).toThrow(
      expect.objectContaining({ kind: 'InvalidArgument' }),
    );
  });
});
