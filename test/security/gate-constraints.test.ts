import { describe, expect, it } from 'vitest';
import { containerCgroup } from '../../src/engine/containers/container-paths.ts';
import type { Job } from '../../src/engine/job.ts';
import type { ContainerRecord } from '../../src/state/container.ts';
import { admitBody, gateWith, outcomeOf } from '../support/gate-fixtures.ts';
import { partOf } from '../support/records.ts';

const DENIED = 'PermissionDenied';

function host(hostConfig: object): object {
  return { HostConfig: hostConfig };
}

describe('create constrains what may pass', () => {
  it('cuts sizes to the machine', () => {
    const { admitted } = admitBody(
      host({ ShmSize: 2 ** 50, Tmpfs: { '/run': 'size=1000g,exec,suid,uid=0' } }),
    );
    expect(admitted.hostConfig.ShmSize).toBe(8 * 2 ** 30);
    expect(admitted.hostConfig.Tmpfs).toEqual({ '/run': `size=${8 * 2 ** 30},exec,suid,uid=0` });
  });

  it('cuts sizes of tmpfs mounts in the long form, and cleans the place', () => {
    const options = { SizeBytes: 2 ** 50, Options: [['size', '1000g'], ['exec']] };
    const { admitted } = admitBody(
      host({ Mounts: [{ Type: 'tmpfs', Target: '/a//b/', TmpfsOptions: options }] }),
    );
    expect(admitted.hostConfig.Mounts).toEqual([
      {
        Type: 'tmpfs',
        Target: '/a/b',
        TmpfsOptions: { SizeBytes: 8 * 2 ** 30, Options: [['size', `${8 * 2 ** 30}`], ['exec']] },
      },
    ]);
  });

  it('keeps scheduling priorities at 0', () => {
    const ulimits = [{ Name: 'rtprio', Soft: 99, Hard: 99 }];
    const { admitted, warnings } = admitBody(host({ Ulimits: ulimits }));
    expect(admitted.hostConfig.Ulimits).toEqual([{ Name: 'rtprio', Soft: 0, Hard: 0 }]);
    expect(warnings).toEqual(['Ulimit rtprio is kept at 0.']);
  });

  it.each([
    ['above it', { Soft: 2_000_000, Hard: 3_000_000 }, { Soft: 1_048_576, Hard: 1_048_576 }, 1],
    ['without end', { Soft: 1024, Hard: -1 }, { Soft: 1024, Hard: 1_048_576 }, 1],
    ['within it', { Soft: 1024, Hard: 1_048_576 }, { Soft: 1024, Hard: 1_048_576 }, 0],
  ])('cuts open files to what the machine can set: %s', (...[, asked, taken, warned]) => {
    const { admitted, warnings } = admitBody(host({ Ulimits: [{ Name: 'nofile', ...asked }] }));
    expect(admitted.hostConfig.Ulimits).toEqual([{ Name: 'nofile', ...taken }]);
    expect(warnings).toHaveLength(warned);
  });

  it.each(['/', '../../', '/system.slice', 'a.slice:b', '/docker/buildx'])(
    'keeps cgroup parent %s inside the job',
    (parent) => {
      const { admitted, warnings } = admitBody(host({ CgroupParent: parent }));
      expect(warnings).toEqual([]);
      const job = partOf<Job>({ cgroupPath: '/berth/job' });
      const path = containerCgroup(
        job,
        partOf<ContainerRecord>({ id: 'c', hostConfig: admitted.hostConfig }),
      );
      expect(path).toMatch(/^\/berth\/job\/(group-[0-9a-f]{16}\/)?c$/);
    },
  );

  it.each<[string, object, RegExp]>([
    ['annotations', { Annotations: { 'run.oci.hooks': 'x' } }, /not passed to the runtime/],
    ['host user namespace', { UsernsMode: 'host' }, /no effect/],
    ['SELinux labels', { SecurityOpt: ['label=disable'] }, /SELinux is not enabled/],
  ])('tells about %s', (_, hostConfig, warning) => {
    expect(admitBody(host(hostConfig)).warnings.join()).toMatch(warning);
  });

  it('refuses SELinux labels where SELinux enforces', () => {
    const gate = gateWith(false, { hasSelinux: true });
    expect(outcomeOf(() => admitBody(host({ SecurityOpt: ['label=disable'] }), gate)).kind).toBe(DENIED);
  });
});

describe('create lets ordinary requests through', () => {
  it.each<[string, object]>([
    ['nothing but an image', {}],
    [
      'empty and null lists',
      host({ CapAdd: [], SecurityOpt: null, MaskedPaths: null, ReadonlyPaths: null, Devices: [] }),
    ],
    ['a null CapAdd', host({ CapAdd: null, Privileged: null })],
    ['dropped capabilities', host({ CapDrop: ['ALL'] })],
    ['dropped capabilities as a string', host({ CapDrop: 'net_raw' })],
    [
      'tightening options',
      host({
        SecurityOpt: [
          'no-new-privileges',
          'no-new-privileges:true',
          'seccomp=builtin',
          'apparmor=docker-default',
        ],
      }),
    ],
    [
      'sysctls of its own namespaces',
      host({ Sysctls: { 'net.ipv4.ip_forward': '1', 'kernel.shmmax': '1', 'fs.mqueue.msg_max': '1' } }),
    ],
    ['the network of the job', host({ NetworkMode: 'host' })],
    [
      'limits',
      host({
        Memory: 2 ** 26,
        NanoCpus: 5e8,
        PidsLimit: 10,
        CpusetCpus: '0-3',
        ShmSize: 2 ** 20,
        CpuShares: 512,
      }),
    ],
    ['an unlimited core size', host({ Ulimits: [{ Name: 'core', Soft: -1, Hard: -1 }] })],
    [
      'json-file with sizes',
      host({ LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } } }),
    ],
    ['a user with a group', { User: 'www-data:1000', WorkingDir: '/var/www', Env: ['A=b', 'UNSET'] }],
    [
      'an extra host',
      host({ ExtraHosts: ['db:10.0.0.1', 'six:::1', 'gw:host-gateway'], Dns: ['8.8.8.8', '::1'] }),
    ],
    [
      'labels with names of objects',
      { Labels: { __proto__x: 'a', constructor: 'b', 'containerd.io/gc.root': 'c' } },
    ],
  ])('%s', (_, body) => {
    expect(outcomeOf(() => admitBody(body))).toEqual({ kind: 'admitted', text: '' });
  });
});
