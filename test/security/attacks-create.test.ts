import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OciSpec } from '../../src/oci/spec-types.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { createScorecard } from '../support/scorecard.ts';

// Attacks through the body of a create, through the whole daemon. What is refused leaves nothing; what is let through
// is looked at in the runtime spec that containerd got.

const score = createScorecard('attacks on create');
let fake: FakeJob;

beforeAll(async () => {
  fake = await startFakeJob();
});
afterEach(() => fake.clear());
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

const host = (hostConfig: object): object => ({ Image: 'app', HostConfig: hostConfig });
const label = 'containerd.io/gc.ref.content.0';

async function expectRefused(body: object | string, statuses: readonly number[]): Promise<void> {
  const { status, message } = await fake.api.post('/containers/create?name=attack', body);
  expect(statuses, message).toContain(status);
  expect(message).not.toBe('');
  expect(message).not.toMatch(/ at .*\.ts|\/work\/|node_modules/);
  const { containerd, store, containers, volumes } = fake.job;
  expect(await containerd.containers.list()).toEqual([]);
  expect((await store.snapshots.list()).filter(({ kind }) => kind === 'active')).toEqual([]);
  expect(containers.all()).toEqual([]);
  expect(volumes.list()).toEqual([]);
}

interface Contained {
  readonly spec: OciSpec;
  readonly warnings: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

async function admit(body: object): Promise<Contained> {
  const { status, body: answer, message } = await fake.api.post('/containers/create?name=attack', body);
  expect({ status, message }).toEqual({ status: 201, message: '' });
  const { Id: id, Warnings: warnings } = answer as { readonly Id: string; readonly Warnings: string[] };
  const { spec, labels } = await fake.job.containerd.containers.get(id);
  return { spec: JSON.parse(Buffer.from(spec.value).toString()) as OciSpec, warnings, labels };
}

const DENIED = [403];
const BAD = [400];
const ABSENT = [404];
const NONE = [400, 403, 404, 501];

describe('refused', () => {
  it.each<[string, object | string, readonly number[]]>([
    ['CapAdd of nothing', host({ CapAdd: [''] }), BAD],
    ['CapAdd of null', host({ CapAdd: [null] }), BAD],
    ['CapAdd like an array', host({ CapAdd: { 0: 'ALL', length: 1 } }), BAD],
    ['Privileged "true"', host({ Privileged: 'true' }), BAD],
    ['Privileged 1', host({ Privileged: 1 }), BAD],
    ['Privileged [true]', host({ Privileged: [true] }), BAD],
    ['lower case', '{"Image":"app","hostconfig":{"privileged":true}}', [400, 403]],
    ['twice', '{"Image":"app","HostConfig":{"Privileged":true,"Privileged":false}}', BAD],
    ['two HostConfigs', '{"Image":"app","HostConfig":{"Privileged":true},"HostConfig":{}}', BAD],
    ['escaped', '{"Image":"app","HostConfig":{"Priv\\u0069leged":true}}', DENIED],
    ['a long s', '{"Image":"app","Ho\\u017ftConfig":{"Privileged":true}}', [400, 403]],
    ['capitals', host({ SecurityOpt: ['Seccomp=Unconfined'] }), BAD],
    ['seccomp=', host({ SecurityOpt: ['seccomp='] }), BAD],
    ['systempaths', host({ SecurityOpt: ['systempaths=unconfined'] }), DENIED],
    ['writable-cgroups', host({ SecurityOpt: ['writable-cgroups=true'] }), DENIED],
    ['SecurityOpt as a string', host({ SecurityOpt: 'seccomp=unconfined' }), BAD],
    ['the runner', host({ NetworkMode: `container:${'f'.repeat(64)}` }), ABSENT],
    ['container:', host({ NetworkMode: 'container:' }), BAD],
    ['container: a path', host({ NetworkMode: 'container:../x' }), [400, 404]],
    ['a netns path', host({ NetworkMode: 'ns:/proc/1/ns/net' }), BAD],
    ['slirp4netns', host({ NetworkMode: 'slirp4netns' }), NONE],
    ['NUL', host({ NetworkMode: 'default\u0000host' }), BAD],
    ['PidMode', host({ PidMode: 'host' }), DENIED],
    ['IpcMode', host({ IpcMode: 'host' }), DENIED],
    ['the IPC of another', host({ IpcMode: 'container:foreign' }), ABSENT],
    ['keep-id', host({ UsernsMode: 'keep-id' }), BAD],
    ['CgroupnsMode', host({ CgroupnsMode: 'host' }), DENIED],
    [
      'host beside bridge',
      { ...host({ NetworkMode: 'bridge' }), NetworkingConfig: { EndpointsConfig: { host: {} } } },
      BAD,
    ],
    ['shared', host({ Binds: ['/a:/b:rshared'] }), DENIED],
    [
      'slave, long form',
      host({
        Mounts: [{ Type: 'bind', Source: '/a', Target: '/b', BindOptions: { Propagation: 'rslave' } }],
      }),
      DENIED,
    ],
    [
      'twice in one place',
      host({ Tmpfs: { '/d': '' }, Mounts: [{ Type: 'volume', Source: 'v', Target: '/d' }] }),
      BAD,
    ],
    ['over the root', host({ Binds: ['vol:/'] }), BAD],
    ['relative', host({ Binds: ['vol:x'] }), BAD],
    ['back to the root', host({ Binds: ['vol:/a/..'] }), BAD],
    ['VOLUME /proc', { Image: 'app', Volumes: { '/proc': {} } }, BAD],
    ['a volume that climbs', host({ Binds: ['../x:/d'] }), BAD],
    ['a volume with a slash', host({ Binds: ['a/b:/d'] }), BAD],
    ['a long volume', host({ Binds: [`${'v'.repeat(300)}:/d`] }), BAD],
    ['NUL', host({ Mounts: [{ Type: 'volume', Source: 'v\u0000', Target: '/d' }] }), BAD],
    ['volumes of another', host({ VolumesFrom: ['foreign'] }), ABSENT],
    ['tmpfs upperdir', host({ Tmpfs: { '/t': 'size=1k,upperdir=/' } }), BAD],
    ['tmpfs source', host({ Tmpfs: { '/t': 'source=/' } }), BAD],
    ['tmpfs dev', host({ Tmpfs: { '/t': 'dev' } }), NONE],
    [
      'ten thousand mounts',
      host({ Mounts: Array.from({ length: 10_000 }, (_, i) => ({ Type: 'tmpfs', Target: `/m${i}` })) }),
      BAD,
    ],
    [
      'a volume that is a bind',
      host({
        Mounts: [
          {
            Type: 'volume',
            Target: '/d',
            VolumeOptions: {
              DriverConfig: { Name: 'local', Options: { type: 'none', o: 'bind', device: '/' } },
            },
          },
        ],
      }),
      NONE,
    ],
    ['a binary log driver', host({ LogConfig: { Type: 'binary:///bin/sh' } }), BAD],
    ['a log path', host({ LogConfig: { Type: 'json-file', Config: { path: '/etc/x' } } }), BAD],
    ['a path as runtime', host({ Runtime: '/tmp/evil' }), BAD],
    ['another shim', host({ Runtime: 'io.containerd.evil.v1' }), BAD],
    ['/dev/mem', host({ Devices: [{ PathOnHost: '/dev/mem', PathInContainer: '/dev/mem' }] }), DENIED],
    ['all devices', host({ DeviceCgroupRules: ['a *:* rwm'] }), DENIED],
    ['every GPU', host({ DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }] }), DENIED],
    ['negative memory', host({ Memory: -1 }), BAD],
    ['109 2^63', '{"Image":"app","HostConfig":{"Memory":9223372036854775808}}', BAD],
    ['OomScoreAdj', host({ OomScoreAdj: -1000 }), DENIED],
    ['OomKillDisable', host({ OomKillDisable: true }), DENIED],
    ['CpusetCpus', host({ CpusetCpus: '0-100000' }), BAD],
    ['a device by its path', host({ BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 1 }] }), DENIED],
    ['core_pattern', host({ Sysctls: { 'kernel.core_pattern': '|/x' } }), DENIED],
    [
      "a sysctl of the job's network",
      host({ NetworkMode: 'host', Sysctls: { 'net.ipv4.ip_forward': '1' } }),
      DENIED,
    ],
    ['a sysctl with slashes', host({ Sysctls: { 'kernel/core_pattern': '|/x' } }), [400, 403]],
    ['a sysctl that climbs', host({ Sysctls: { 'net.ipv4.conf.all/../../kernel/x': '1' } }), BAD],
    ['uid 2^32', { Image: 'app', User: '4294967296' }, BAD],
    ['uid -1', { Image: 'app', User: '-1' }, BAD],
    ['a descriptor as cwd', { Image: 'app', WorkingDir: '/proc/self/fd/7' }, BAD],
    ['by detours', { Image: 'app', WorkingDir: '/tmp/../proc/./thread-self/cwd' }, BAD],
    ['two lines of DNS', host({ Dns: ['10.0.0.1\nnameserver 6.6.6.6'] }), BAD],
    ['a hostname of two lines', { Image: 'app', Hostname: 'a\nb' }, BAD],
    ['a link that climbs', host({ Links: ['own:../../etc/hosts'] }), [400, 404]],
  ])('%s', (_name, body, statuses) => score.row(() => expectRefused(body, statuses)));
});

describe('contained', () => {
  const defaultCaps = 14;
  it.each<[string, object, (contained: Contained) => void]>([
    [
      'a setting in the environment',
      { Image: 'app', Env: ['ALLOW_PRIVILEGED=1', 'DIND_ALLOW_PRIVILEGED=true'] },
      ({ spec }) => expect(spec.process.capabilities.bounding).toHaveLength(defaultCaps),
    ],
    [
      'a prototype with Privileged',
      JSON.parse('{"Image":"app","HostConfig":{"__proto__":{"Privileged":true}}}') as object,
      ({ spec }) => expect(spec.process.capabilities.bounding).toHaveLength(defaultCaps),
    ],
    [
      'the user namespace of the host',
      host({ UsernsMode: 'host' }),
      ({ warnings }) => expect(warnings.join()).toMatch(/UsernsMode/),
    ],
    [
      'a tmpfs of 1000 GB',
      host({ Tmpfs: { '/t': 'size=1000g,suid' } }),
      ({ spec }) =>
        expect(spec.mounts.find(({ destination }) => destination === '/t')?.options).toContain(
          `size=${8 * 2 ** 30}`,
        ),
    ],
    [
      'labels for the garbage collector',
      { Image: 'app', Labels: { [label]: 'sha256:x', 'containerd.io/gc.root': 'now' } },
      ({ labels }) => expect(labels).toEqual({}),
    ],
    [
      'a label of 100 kB',
      { Image: 'app', Labels: { big: 'x'.repeat(100_000) } },
      ({ labels }) => expect(labels).toEqual({}),
    ],
    [
      'hooks in annotations',
      host({ Annotations: { 'run.oci.hooks.stdout': '/x', 'io.katacontainers.config': 'x' } }),
      ({ spec, warnings }) => {
        expect(JSON.stringify(spec)).not.toMatch(/hooks|katacontainers/);
        expect(warnings.join()).toMatch(/[Aa]nnotations/);
      },
    ],
    [
      'a file for the id',
      host({ ContainerIDFile: '/etc/cron.d/x' }),
      ({ spec }) => expect(JSON.stringify(spec)).not.toContain('cron.d'),
    ],
    [
      'a cgroup parent that climbs',
      host({ CgroupParent: '../../' }),
      ({ spec }) => expect(spec.linux.cgroupsPath).toMatch(/^\/fake\/[0-9a-f]{64}$/),
    ],
    [
      'a huge /dev/shm',
      host({ ShmSize: 2 ** 50 }),
      ({ spec }) =>
        expect(spec.mounts.find(({ destination }) => destination === '/dev/shm')?.options).toContain(
          `size=${8 * 2 ** 30}`,
        ),
    ],
    [
      "a network named host: the job's own",
      host({ NetworkMode: 'host' }),
      ({ spec }) =>
        expect(spec.linux.namespaces.find(({ type }) => type === 'network')?.path).toMatch(
          /^\/fake\/netns\//,
        ),
    ],
  ])('%s', (_name, body, check) => score.row(async () => check(await admit(body))));

  it.each(['/', '/run/containerd/containerd.sock', '/proc/1/root', '/proc/self/fd/3', '/var/lib/containerd'])(
    "a bind of %s is refused, or of nothing that is the machine's",
    (source) =>
      score.row(async () => {
        const { status, body } = await fake.api.post('/containers/create', host({ Binds: [`${source}:/x`] }));
        expect([201, ...NONE]).toContain(status);
        if (status !== 201) return;
        const { spec } = await fake.job.containerd.containers.get((body as { readonly Id: string }).Id);
        const { mounts } = JSON.parse(Buffer.from(spec.value).toString()) as OciSpec;
        expect(mounts.filter((mount) => mount.source === source)).toEqual([]);
      }),
  );

  it('every container: masked paths, a seccomp filter, no device but the usual ones', () =>
    score.row(async () => {
      const { spec } = await admit({ Image: 'app' });
      expect(spec.linux.maskedPaths).toEqual(
        expect.arrayContaining(['/proc/kcore', '/proc/keys', '/sys/firmware']),
      );
      expect(spec.linux.readonlyPaths).toEqual(expect.arrayContaining(['/proc/sys', '/proc/sysrq-trigger']));
      expect(spec.linux.seccomp).toBeDefined();
      expect(spec.linux.resources.devices[0]).toMatchObject({ allow: false, access: 'rwm' });
      expect(spec.mounts.find(({ destination }) => destination === '/sys/fs/cgroup')?.options).toContain(
        'ro',
      );
      expect(spec.process.capabilities.inheritable).toEqual([]);
    }));
});
