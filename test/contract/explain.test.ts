import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Explanation } from '../../src/engine/containers/explain-create.ts';
import { createControlApp } from '../../src/job/control.ts';
import { listen, type Listener } from '../../src/job/listen.ts';
import { askControl } from '../support/control-client.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';

// `POST /_berth/explain`: what would become of a create, for the runner alone, without anything being made.

let fake: FakeJob;
let directory: string;
let control: Listener;

beforeAll(async () => {
  fake = await startFakeJob();
  directory = await mkdtemp(join(tmpdir(), 'berth-explain-'));
  const app = createControlApp(fake.job, () => undefined);
  control = await listen({ socketPath: join(directory, 'c.sock'), app, mode: 0o600 });
});
afterAll(async () => {
  await control.close();
  await rm(directory, { recursive: true });
  await fake.close();
});

async function explain(body: object, version = '1.51', request = ''): Promise<Explanation> {
  const before = [fake.containerd.totalCalls(), fake.registryCalls(), fake.decisions.length];
  const named = request === '' ? '' : `&request=${encodeURIComponent(request)}`;
  const path = `/_berth/explain?version=${version}${named}`;
  const answer = await askControl(join(directory, 'c.sock'), { method: 'POST', path, body });
  expect(answer.status).toBe(200);
  expect([fake.containerd.totalCalls(), fake.registryCalls(), fake.decisions.length]).toEqual(before);
  return JSON.parse(answer.body) as Explanation;
}

it('shows every field that asks for something, and the runtime spec', async () => {
  const explanation = await explain({
    Image: 'app',
    User: '1000',
    HostConfig: { Memory: 2 ** 26, UsernsMode: 'host', CapDrop: ['ALL'], Binds: ['/src:/dst:ro'] },
  });
  expect(explanation.admitted).toBe(true);
  expect(explanation.fields).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ field: 'HostConfig.UsernsMode', verdict: 'warned' }),
      expect.objectContaining({ field: 'HostConfig.Memory', verdict: 'taken' }),
      expect.objectContaining({ field: 'HostConfig.CapDrop', verdict: 'taken' }),
      expect.objectContaining({ field: 'HostConfig.Binds', verdict: 'taken' }),
      expect.objectContaining({ field: 'Config.User', verdict: 'taken' }),
    ]),
  );
  expect(explanation.spec).toMatchObject({
    process: { args: ['/program'], user: { uid: 1000 }, capabilities: { bounding: [] } },
    linux: { resources: { memory: { limit: 2 ** 26 } } },
  });
  expect(explanation.spec?.mounts).toContainEqual(
    expect.objectContaining({ source: '/src', destination: '/dst' }),
  );
});

it('shows what is refused, and everything that was found beside it', async () => {
  const explanation = await explain({
    Image: 'none/such',
    HostConfig: { Privileged: true, PidMode: 'host', Memory: 2 ** 26 },
  });
  expect(explanation).toMatchObject({ admitted: false, refusal: { kind: 'PermissionDenied' } });
  expect(explanation.spec).toBeUndefined();
  expect(explanation.fields.map(({ field, verdict }) => `${field} ${verdict}`)).toEqual([
    'HostConfig.Privileged refused',
    'HostConfig.PidMode refused',
    'HostConfig.Memory taken',
  ]);
});

it('says what it had to assume', async () => {
  const { notes, spec } = await explain({ Image: 'none/such', User: 'somebody' });
  expect(notes.join('\n')).toMatch(/image is not known here.*users are not known here/s);
  expect(spec?.process.args).toEqual(['(command of the image)']);
});

it.each([
  [{}, 'Config cannot be empty'],
  [{ Image: 'app', HostConfig: { Privileged: 'yes' } }, 'cannot unmarshal string'],
])('explains what is no request: %j', async (body, message) => {
  const { refusal } = await explain(body);
  expect(refusal).toEqual({ kind: 'InvalidArgument', message: expect.stringContaining(message) as string });
});

it.each<[string, object, string | undefined, readonly string[]]>([
  ['POST /volumes/create', { Name: 'vv' }, undefined, []],
  ['POST /volumes/create', { Driver: 'nfs' }, 'NotFound', ['volume driver refused']],
  [
    'POST /volumes/create',
    { DriverOpts: { type: 'none', device: '/', o: 'bind' }, Zzyzx: 1 },
    'PermissionDenied',
    ['volume driverOpts refused'],
  ],
  ['POST /networks/create', { Name: 'n', Zzyzx: 1 }, undefined, ['Zzyzx ignored']],
  ['POST /networks/create', { Name: 'host' }, 'PermissionDenied', ['network Name refused']],
  [
    'POST /networks/n/connect',
    { Container: 'c', EndpointConfig: { MacAddress: 'x' } },
    'InvalidArgument',
    ['EndpointConfig.MacAddress refused'],
  ],
  ['POST /networks/n/disconnect', { Container: 'c' }, undefined, []],
  [
    'POST /containers/c/exec',
    { Cmd: ['x'], Privileged: true },
    'PermissionDenied',
    ['exec privileged refused'],
  ],
  [
    'POST /containers/c/update',
    { OomKillDisable: true },
    'PermissionDenied',
    ['HostConfig.OomKillDisable refused'],
  ],
  ['POST /build?networkmode=host&remote=http://x', {}, 'PermissionDenied', ['build remote refused']],
  [
    'POST /commit?container=c',
    { WorkingDir: '/proc/self/fd/7' },
    'InvalidArgument',
    ['Config.WorkingDir refused'],
  ],
  ['POST /images/create?fromSrc=http://x', {}, 'PermissionDenied', ['query fromSrc refused']],
  ['POST /containers/c/kill?signal=KILL', {}, undefined, []],
  ['POST /nowhere', {}, 'NotFound', []],
])('%s with %j', async (request, ...[body, kind, fields]) => {
  const explanation = await explain(body, '1.51', request);
  expect(explanation.refusal?.kind).toBe(kind);
  expect(explanation.admitted).toBe(kind === undefined);
  expect(explanation.fields.map(({ field, verdict }) => `${field} ${verdict}`)).toEqual(fields);
  expect(explanation.spec).toBeUndefined();
});
