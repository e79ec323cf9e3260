import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/state/audit-log.ts';
import { JOB_PERMISSIONS } from '../../src/policy/endpoint-permissions.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';

// What every door writes down of its decisions: who asked for what, and never a secret.

let fake: FakeJob;
let id: string;

beforeAll(async () => {
  fake = await startFakeJob();
  const { body } = await fake.api.post('/containers/create?name=plain', { Image: 'app' });
  ({ Id: id } = body as { readonly Id: string });
  await fake.api.post('/containers/plain/start');
});
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

/** What was written down while `act` ran. */
async function decisionsOf(act: () => Promise<unknown>): Promise<readonly AuditEntry[]> {
  const before = fake.decisions.length;
  await act();
  return fake.decisions.slice(before);
}

const host = (hostConfig: object): object => ({
  Image: 'some/image:1',
  Cmd: ['hunter2'],
  HostConfig: hostConfig,
});

it.each<[string, string, object | string | undefined, Partial<AuditEntry>]>([
  [
    'a create',
    '/containers/create',
    host({ Privileged: true }),
    {
      verb: 'create',
      image: 'some/image:1',
      verdict: 'refused',
      field: 'HostConfig.Privileged',
      asked: 'true',
      setting: 'dind.allow_privileged',
    },
  ],
  [
    'a create that is malformed',
    '/containers/create',
    host({ Sysctls: { 'kernel/x': '1' } }),
    { verb: 'create', verdict: 'refused', field: 'HostConfig.Sysctls' },
  ],
  [
    'an exec',
    '/containers/plain/exec',
    { Cmd: ['hunter2'], Env: ['A=hunter2'], Privileged: true },
    { verb: 'exec', verdict: 'refused', field: 'exec privileged', asked: 'true' },
  ],
  [
    'an update',
    '/containers/plain/update',
    { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '', CgroupPermissions: '' }] },
    { verb: 'update', image: 'app', verdict: 'refused', field: 'HostConfig.Devices' },
  ],
  [
    'a volume',
    '/volumes/create',
    { Name: 'v', DriverOpts: { type: 'cifs', device: '//x/y', o: 'password=hunter2' } },
    { verb: 'volume create', verdict: 'refused', field: 'volume driverOpts', asked: 'type, device, o' },
  ],
  [
    'a network',
    '/networks/bridge/connect',
    { Container: 'plain', EndpointConfig: { MacAddress: 'x' } },
    { verb: 'network connect', verdict: 'refused', field: 'EndpointConfig.MacAddress' },
  ],
  [
    'a network to be',
    '/networks/create',
    { Name: 'host' },
    { verb: 'network create', verdict: 'refused', field: 'network Name' },
  ],
  [
    'a build',
    '/build?networkmode=host&remote=https://hunter3@example.test/x.git',
    {},
    { verb: 'build', verdict: 'refused', field: 'build remote' },
  ],
  [
    'a commit',
    '/commit?container=plain',
    { WorkingDir: '/proc/self/fd/7' },
    { verb: 'commit', verdict: 'refused', field: 'Config.WorkingDir' },
  ],
  [
    'a login',
    '/auth',
    { username: 'a\nX: b', password: 'hunter2' },
    { verb: 'login', verdict: 'refused', field: 'username' },
  ],
  [
    'a parameter',
    '/images/create?fromSrc=http://169.254.169.254/',
    {},
    {
      verb: 'image create',
      verdict: 'refused',
      field: 'query fromSrc',
      asked: 'http://169.254.169.254/',
    },
  ],
  [
    'a name of the wrong case',
    '/containers/create',
    { image: 'app', HostConfig: { privileged: true } },
    { verb: 'POST /containers/create', verdict: 'refused', field: 'image' },
  ],
  [
    'a value of the wrong type',
    '/auth',
    { password: 1234567 },
    { verb: 'POST /auth', verdict: 'refused', field: 'password' },
  ],
  [
    'a key that comes twice',
    '/containers/create',
    '{"Image":"app","HostConfig":{"Privileged":true},"HostConfig":{}}',
    {
      verb: 'POST /containers/create',
      verdict: 'refused',
      reason: expect.stringContaining('duplicate key') as string,
    },
  ],
  [
    'a name that sounds as if it widened rights',
    '/networks/create',
    { Name: 'x', SecurityOpt: ['x'] },
    { verb: 'POST /networks/create', verdict: 'refused', field: 'SecurityOpt' },
  ],
  [
    'a member that nobody knows',
    '/volumes/create',
    { Name: 'known', Zzyzx: 1 },
    { verb: 'volume create', verdict: 'warned', field: 'Zzyzx' },
  ],
  [
    'a signal that is none',
    '/containers/plain/kill?signal=SIGZZ',
    undefined,
    { verb: 'POST /containers/plain/kill', verdict: 'refused' },
  ],
  [
    'a swarm',
    '/swarm/init',
    { ListenAddr: '0.0.0.0' },
    { verb: 'POST /swarm/init', verdict: 'refused', reason: expect.stringContaining('swarm') as string },
  ],
  ['a plugin', '/plugins/pull?remote=x', [], { verb: 'POST /plugins/pull', verdict: 'refused' }],
  [
    "a plugin's start",
    '/plugins/x/enable',
    undefined,
    { verb: 'POST /plugins/x/enable', verdict: 'refused' },
  ],
  [
    'a session without a name',
    '/session',
    undefined,
    { verb: 'POST /session', verdict: 'refused', reason: 'no upgrade proto in request' },
  ],
])('%s is written down once', async (_name, ...[path, body, expected]) => {
  const decisions = await decisionsOf(() => fake.api.post(path, body));
  expect(decisions).toEqual([expect.objectContaining(expected)]);
  expect(JSON.stringify(decisions)).not.toMatch(/hunter2|1234567/);
});

it('what was cut or only warned of is written down too', async () => {
  const decisions = await decisionsOf(() =>
    fake.api.post('/containers/create', {
      Image: 'app',
      HostConfig: { CpuShares: 300_000, UsernsMode: 'host' },
    }),
  );
  expect(decisions).toEqual([
    expect.objectContaining({ verdict: 'warned', field: 'HostConfig.UsernsMode' }),
    expect.objectContaining({ verdict: 'warned', field: 'HostConfig.CpuShares' }),
    expect.objectContaining({ verdict: 'constrained', field: 'HostConfig.CpuShares', asked: '300000' }),
  ]);
});

it('a closed endpoint is written down with its switch', async () => {
  fake.setPermissions({ profile: 'job', given: { kill: false } });
  const decisions = await decisionsOf(() => fake.api.post(`/containers/${id}/kill`));
  fake.setPermissions(JOB_PERMISSIONS);
  expect(decisions).toEqual([
    { verb: 'POST /containers/{id}/kill', verdict: 'refused', reason: 'closed by KILL', setting: 'api.kill' },
  ]);
});

it('a start, a restart and an exec of what was let through say nothing again', async () => {
  expect(
    await decisionsOf(async () => {
      await fake.api.post(`/containers/${id}/restart?t=0`);
      await fake.api.post('/containers/plain/exec', { Cmd: ['x'] });
    }),
  ).toEqual([]);
});
