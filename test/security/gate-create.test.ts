import { describe, expect, it } from 'vitest';
import { admitBody, gateWith, outcomeOf } from '../support/gate-fixtures.ts';

const DENIED = 'PermissionDenied';
const BAD = 'InvalidArgument';

function host(hostConfig: object): object {
  return { HostConfig: hostConfig };
}

describe('create with the gate closed refuses what widens a container', () => {
  it.each<[string, object]>([
    ['Privileged', { Privileged: true }],
    ['CapAdd', { CapAdd: ['SYS_ADMIN'] }],
    ['CapAdd as a string', { CapAdd: 'SYS_ADMIN' }],
    ['CapAdd ALL in lower case', { CapAdd: ['all'] }],
    ['CapAdd with prefix in lower case', { CapAdd: ['cap_sys_admin'] }],
    ['CapAdd beside a drop of everything', { CapAdd: ['CHOWN'], CapDrop: ['ALL'] }],
    ['CapAdd beside its own drop', { CapAdd: ['SYS_ADMIN'], CapDrop: ['SYS_ADMIN'] }],
    ['seccomp=unconfined', { SecurityOpt: ['seccomp=unconfined'] }],
    ['seccomp:unconfined', { SecurityOpt: ['seccomp:unconfined'] }],
    ['apparmor=unconfined', { SecurityOpt: ['apparmor=unconfined'] }],
    ['apparmor:unconfined', { SecurityOpt: ['apparmor:unconfined'] }],
    ['another AppArmor profile', { SecurityOpt: ['apparmor=mine'] }],
    ['a seccomp profile of its own', { SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'] }],
    [
      'an unconfined option among good ones',
      { SecurityOpt: ['no-new-privileges', 'seccomp=unconfined', 'seccomp=builtin'] },
    ],
    ['systempaths=unconfined', { SecurityOpt: ['systempaths=unconfined'] }],
    ['writable-cgroups', { SecurityOpt: ['writable-cgroups'] }],
    ['writable-cgroups=true', { SecurityOpt: ['writable-cgroups=true'] }],
    ['empty MaskedPaths', { MaskedPaths: [] }],
    ['empty ReadonlyPaths', { ReadonlyPaths: [] }],
    ['shorter MaskedPaths', { MaskedPaths: ['/proc/kcore'] }],
    ['PidMode host', { PidMode: 'host' }],
    ['IpcMode host', { IpcMode: 'host' }],
    ['UTSMode host', { UTSMode: 'host' }],
    ['CgroupnsMode host', { CgroupnsMode: 'host' }],
    [
      'a disk',
      { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/sda', CgroupPermissions: 'rwm' }] },
    ],
    [
      '/dev/fuse',
      { Devices: [{ PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' }] },
    ],
    ['a device rule', { DeviceCgroupRules: ['a *:* rwm'] }],
    ['a CDI device', { DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['vendor.com/dev=all'] }] }],
    ['every GPU', { DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }] }],
    ['OomKillDisable', { OomKillDisable: true }],
    ['OomScoreAdj below 0', { OomScoreAdj: -1 }],
    ['CpuRealtimeRuntime', { CpuRealtimeRuntime: 1000 }],
    ['CpuRealtimePeriod', { CpuRealtimePeriod: 1000 }],
    ['a block device by its path', { BlkioDeviceReadBps: [{ Path: '/etc/../dev/sda', Rate: 1 }] }],
    ['kernel.core_pattern', { Sysctls: { 'kernel.core_pattern': '|/x' } }],
    ['vm.overcommit_memory', { Sysctls: { 'vm.overcommit_memory': '1' } }],
    ['net.* in the network of the job', { NetworkMode: 'host', Sysctls: { 'net.ipv4.ip_forward': '1' } }],
    ['a shared bind', { Binds: ['/a:/b:shared'] }],
    ['an rslave bind among other words', { Binds: ['/a:/b:ro,rslave,z'] }],
    [
      'a shared bind mount',
      { Mounts: [{ Type: 'bind', Source: '/a', Target: '/b', BindOptions: { Propagation: 'rshared' } }] },
    ],
    ['a volume driver', { VolumeDriver: 'evil', Binds: ['named:/x'] }],
    [
      'the volume driver of one mount',
      {
        Mounts: [
          { Type: 'volume', Source: 'v', Target: '/b', VolumeOptions: { DriverConfig: { Name: 'nfs' } } },
        ],
      },
    ],
    [
      'options of the local volume driver',
      {
        Mounts: [
          {
            Type: 'volume',
            Target: '/b',
            VolumeOptions: {
              DriverConfig: { Name: 'local', Options: { type: 'none', o: 'bind', device: '/' } },
            },
          },
        ],
      },
    ],
  ])('%s', (_, hostConfig) => {
    expect(outcomeOf(() => admitBody(host(hostConfig)))).toMatchObject({ kind: DENIED });
  });

  it('names the field, the setting, its state and a safer way', () => {
    const { text } = outcomeOf(() => admitBody(host({ Privileged: true })));
    expect(text).toContain('HostConfig.Privileged');
    expect(text).toContain('dind.allow_privileged = true');
    expect(text).toContain('dind.allow_privileged is false');
    expect(text).toContain('TESTCONTAINERS_RYUK_CONTAINER_PRIVILEGED=false');
  });

  it('says nothing of the setting where the setting does not open it', () => {
    const { text } = outcomeOf(() => admitBody(host({ VolumeDriver: 'evil', Binds: ['named:/x'] })));
    expect(text).toContain('HostConfig.VolumeDriver evil');
    expect(text).not.toContain('allow_privileged');
  });

  it('keeps control characters of the client out of the refusal', () => {
    const { text } = outcomeOf(() => admitBody(host({ Sysctls: { 'kernel.core_pattern': '\u001b[2J' } })));
    expect(text).not.toContain('\u001b');
  });

  it('refuses before it looks for faults elsewhere', () => {
    const body = { WorkingDir: 'relative', HostConfig: { Privileged: true, ShmSize: -1 } };
    expect(outcomeOf(() => admitBody(body)).kind).toBe(DENIED);
  });
});

describe('create with the gate open', () => {
  it.each<[string, object]>([
    ['Privileged', { Privileged: true }],
    ['CapAdd', { CapAdd: ['SYS_ADMIN'] }],
    ['unconfined profiles', { SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'] }],
    ['no masked paths', { MaskedPaths: [], ReadonlyPaths: [] }],
    ['host namespaces', { PidMode: 'host', IpcMode: 'host', UTSMode: 'host', CgroupnsMode: 'host' }],
    ['OomScoreAdj below 0', { OomScoreAdj: -500 }],
  ])('lets %s through', (_, hostConfig) => {
    expect(outcomeOf(() => admitBody(host(hostConfig), gateWith(true)))).toEqual({
      kind: 'admitted',
      text: '',
    });
  });

  it('still refuses an unknown capability, in the words of dockerd', () => {
    expect(outcomeOf(() => admitBody(host({ CapAdd: ['NOPE'] }), gateWith(true)))).toEqual({
      kind: BAD,
      text: 'invalid CapAdd: unknown capability: "CAP_NOPE"',
    });
  });

  it.each<[string, object, string]>([
    ['a volume driver', { VolumeDriver: 'evil', Binds: ['named:/x'] }, DENIED],
    ['a shared bind', { Binds: ['/a:/b:shared'] }, DENIED],
    ['real-time scheduling', { CpuRealtimeRuntime: 1 }, DENIED],
    ['kernel.core_pattern', { Sysctls: { 'kernel.core_pattern': '|/x' } }, DENIED],
    ['a path as runtime', { Runtime: '/tmp/evil' }, BAD],
    ['a seccomp profile that would not be applied', { SecurityOpt: ['seccomp={}'] }, 'NotImplemented'],
    ['a device of a driver', { DeviceRequests: [{ Count: -1 }] }, 'NotImplemented'],
    ['a device that is none', { Devices: [{ PathOnHost: 'fuse' }] }, 'InvalidArgument'],
    ['a device rule that is none', { DeviceCgroupRules: ['c 1:3'] }, 'InvalidArgument'],
  ])('keeps %s closed', (_, hostConfig, kind) => {
    expect(outcomeOf(() => admitBody(host(hostConfig), gateWith(true))).kind).toBe(kind);
  });

  it('starts without a capability that the machine cannot grant, and says so', () => {
    const gate = gateWith(true, { boundingSet: ((1n << 41n) - 1n) & ~(1n << 24n) });
    const { admitted, warnings } = admitBody(host({ CapAdd: ['SYS_RESOURCE', 'SYS_TIME'] }), gate);
    expect(warnings).toEqual([
      'Capability CAP_SYS_RESOURCE cannot be granted on this machine; the container runs without it.',
    ]);
    expect(admitted.security.capabilities).toContain('CAP_SYS_TIME');
    expect(admitted.security.capabilities).not.toContain('CAP_SYS_RESOURCE');
  });
});
