import { describe, expect, it } from 'vitest';
import { hostSpec, inputFor, mountAt, SPEC_HOST, specOf } from '../../test/support/spec-fixtures.ts';
import { buildSpec } from './build-spec.ts';
import { encodeSpec } from './encode-spec.ts';
import type { OciSpec } from './spec-types.ts';

describe('a plain container', () => {
  const spec = specOf({});

  it('runs its program as its user with fourteen capabilities, none of them inheritable', () => {
    expect(spec.process).toMatchObject({
      args: ['/bin/app', '-x'],
      env: ['PATH=/bin', 'A=1'],
      cwd: '/',
      user: { uid: 5, gid: 6, additionalGids: [6, 7] },
      terminal: false,
      noNewPrivileges: false,
      rlimits: [],
    });
    const { bounding, effective, permitted, inheritable, ambient } = spec.process.capabilities;
    expect(bounding).toHaveLength(14);
    expect([effective, permitted]).toEqual([bounding, bounding]);
    expect([inheritable, ambient]).toEqual([[], []]);
  });

  it('is filtered, masked, and in namespaces of its own', () => {
    expect(spec.linux.seccomp?.defaultAction).toBe('SCMP_ACT_ERRNO');
    for (const path of [
      '/proc/kcore',
      '/proc/interrupts',
      '/sys/firmware',
      '/sys/devices/virtual/powercap',
    ]) {
      expect(spec.linux.maskedPaths).toContain(path);
    }
    expect(spec.linux.readonlyPaths).toEqual([
      '/proc/bus',
      '/proc/fs',
      '/proc/irq',
      '/proc/sys',
      '/proc/sysrq-trigger',
    ]);
    expect(spec.linux.namespaces).toEqual([
      { type: 'mount' },
      { type: 'network', path: '/run/netns/c' },
      { type: 'uts' },
      { type: 'pid' },
      { type: 'ipc' },
      { type: 'cgroup' },
    ]);
    expect(spec.linux.resources.devices[0]).toEqual({ allow: false, access: 'rwm' });
    expect(spec.linux).toMatchObject({ cgroupsPath: '/job/c', devices: [] });
  });

  it('sees the kernel read-only, its own shm, and the files of berth', () => {
    expect(mountAt(spec, '/sys')?.options).toContain('ro');
    expect(mountAt(spec, '/sys/fs/cgroup')).toMatchObject({
      type: 'cgroup',
      options: ['ro', 'nosuid', 'noexec', 'nodev'],
    });
    expect(mountAt(spec, '/dev/shm')?.options).toContain('size=67108864');
    expect(mountAt(spec, '/etc/hosts')).toMatchObject({
      source: '/s/hosts',
      options: ['bind', 'rw', 'rprivate'],
    });
    expect(mountAt(spec, '/sbin/docker-init')).toBeUndefined();
  });

  it('has neither hooks nor annotations, whatever the client says', () => {
    const told = specOf({
      Labels: { 'io.containerd.x': 'y' },
      HostConfig: { Annotations: { 'run.oci.hooks.stdout': '1' } },
    });
    expect(told).not.toHaveProperty('hooks');
    expect(told).not.toHaveProperty('annotations');
    expect(encodeSpec(told)).not.toContain('run.oci');
  });
});

describe('what narrows or shapes', () => {
  it('limits', () => {
    const { resources } = hostSpec({
      Memory: 2 ** 26,
      MemoryReservation: 2 ** 25,
      NanoCpus: 15e8,
      CpuShares: 512,
      CpusetCpus: '0-1',
      PidsLimit: 9,
      BlkioWeight: 100,
    }).linux;
    expect(resources).toMatchObject({
      memory: { limit: 2 ** 26, reservation: 2 ** 25, swap: 2 ** 27 },
      cpu: { shares: 512, quota: 150_000, period: 100_000, cpus: '0-1' },
      pids: { limit: 9 },
      blockIO: { weight: 100 },
    });
    expect(hostSpec({}).linux.resources).not.toHaveProperty('memory');
    expect(hostSpec({ CpuPeriod: 2000, CpuQuota: 1000 }).linux.resources.cpu).toEqual({
      period: 2000,
      quota: 1000,
    });
  });

  it('capabilities, privileges and profiles', () => {
    expect(hostSpec({ CapDrop: ['ALL'] }).process.capabilities.bounding).toEqual([]);
    expect(hostSpec({ SecurityOpt: ['no-new-privileges'] }).process.noNewPrivileges).toBe(true);
    expect(hostSpec({ SecurityOpt: ['seccomp=unconfined'] }).linux).not.toHaveProperty('seccomp');
    expect(hostSpec({ MaskedPaths: [], ReadonlyPaths: [] }).linux).toMatchObject({
      maskedPaths: [],
      readonlyPaths: [],
    });
  });

  it('the filter follows the capabilities', () => {
    const allowsMount = (spec: OciSpec): boolean | undefined =>
      spec.linux.seccomp?.syscalls.some((rule) => rule.names.includes('mount'));
    expect(allowsMount(hostSpec({}))).toBe(false);
    expect(allowsMount(hostSpec({ CapAdd: ['SYS_ADMIN'] }))).toBe(true);
  });

  it('AppArmor, where the kernel has been given the profile', () => {
    const host = { ...SPEC_HOST, hasAppArmor: true };
    const loaded = buildSpec(inputFor({}, { host, loadedAppArmorProfiles: ['docker-default'] }));
    expect(loaded).toMatchObject({ spec: { process: { apparmorProfile: 'docker-default' } }, warnings: [] });
    const missing = buildSpec(inputFor({}, { host }));
    expect(missing.spec.process).not.toHaveProperty('apparmorProfile');
    expect(missing.warnings).toEqual([
      'AppArmor profile docker-default is not loaded; the container runs without it.',
    ]);
    const unconfined = { HostConfig: { SecurityOpt: ['apparmor=unconfined'] } };
    expect(buildSpec(inputFor(unconfined, { host })).warnings).toEqual([]);
  });

  it('a kernel without seccomp is told about', () => {
    const { spec, warnings } = buildSpec(inputFor({}, { host: { ...SPEC_HOST, hasSeccomp: false } }));
    expect(spec.linux).not.toHaveProperty('seccomp');
    expect(warnings).toHaveLength(1);
  });

  it('a read-only root file system, and with it the files of berth', () => {
    const spec = hostSpec({ ReadonlyRootfs: true });
    expect(spec.root.readonly).toBe(true);
    expect(mountAt(spec, '/etc/resolv.conf')?.options).toContain('ro');
  });

  it('an init program, but not in a shared PID namespace', () => {
    const spec = hostSpec({ Init: true });
    expect(spec.process.args).toEqual(['/sbin/docker-init', '--', '/bin/app', '-x']);
    expect(mountAt(spec, '/sbin/docker-init')).toMatchObject({
      source: '/usr/bin/tini',
      options: ['bind', 'ro', 'rprivate'],
    });
    expect(hostSpec({ Init: true, PidMode: 'host' }).process.args).toEqual(['/bin/app', '-x']);
  });

  it('namespaces of the host', () => {
    const spec = hostSpec({ PidMode: 'host', IpcMode: 'host', UTSMode: 'host', CgroupnsMode: 'host' });
    expect(spec.linux.namespaces.map(({ type }) => type)).toEqual(['mount', 'network']);
    expect(spec).not.toHaveProperty('hostname');
  });

  it('sysctls, with those of a network of its own', () => {
    expect(hostSpec({ Sysctls: { 'net.ipv4.ip_forward': '1' } }).linux.sysctl).toEqual({
      'net.ipv4.ip_unprivileged_port_start': '0',
      'net.ipv4.ping_group_range': '0 2147483647',
      'net.ipv4.ip_forward': '1',
    });
    expect(hostSpec({ NetworkMode: 'host' }).linux.sysctl).toEqual({});
    expect(specOf({ Domainname: 'd.e', HostConfig: { NetworkMode: 'host' } }).linux.sysctl).toEqual({
      'kernel.domainname': 'd.e',
    });
  });

  it('a terminal and its first size', () => {
    expect(specOf({ Tty: true, HostConfig: { ConsoleSize: [24, 80] } }).process).toMatchObject({
      terminal: true,
      consoleSize: { height: 24, width: 80 },
    });
    expect(specOf({ HostConfig: { ConsoleSize: [24, 80] } }).process).not.toHaveProperty('consoleSize');
  });

  it('no shm without IPC', () => {
    expect(mountAt(hostSpec({ IpcMode: 'none' }), '/dev/shm')).toBeUndefined();
  });
});

describe('a privileged container', () => {
  it("has all of dockerd's stack", () => {
    const device = {
      path: '/dev/fuse',
      type: 'c',
      major: 10,
      minor: 229,
      fileMode: 0o666,
      uid: 0,
      gid: 0,
    } as const;
    const spec = hostSpec({ Privileged: true }, { devices: [device] });
    expect(spec.process.capabilities.bounding).toHaveLength(41);
    expect(spec.linux).toMatchObject({ maskedPaths: [], readonlyPaths: [], devices: [device] });
    expect(spec.linux).not.toHaveProperty('seccomp');
    expect(spec.linux.resources.devices).toEqual([{ allow: true, access: 'rwm' }]);
    expect(mountAt(spec, '/sys')?.options).not.toContain('ro');
    expect(mountAt(spec, '/sys/fs/cgroup')?.options).not.toContain('ro');
  });

  it('is the only one to get devices of the host', () => {
    const device = {
      path: '/dev/fuse',
      type: 'c',
      major: 10,
      minor: 229,
      fileMode: 0o666,
      uid: 0,
      gid: 0,
    } as const;
    expect(hostSpec({}, { devices: [device] }).linux.devices).toEqual([]);
  });
});
