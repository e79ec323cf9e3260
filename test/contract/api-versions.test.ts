import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { scriptedProgram } from '../support/fake-programs.ts';

// What a version of the API did not have yet is as if it had not been sent, as dockerd of its time has it.

let fake: FakeJob;

beforeAll(async () => {
  fake = await startFakeJob();
  fake.containerd.setProgram(scriptedProgram);
});
afterEach(() => fake.clear());
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

interface Inspected {
  readonly HostConfig: Readonly<Record<string, unknown>>;
}

async function create(version: string, host: object, query = ''): Promise<number> {
  const body = { Image: 'app', Cmd: ['sleep'], HostConfig: host };
  return (await fake.api.post(`/v${version}/containers/create?name=made&${query}`, body)).status;
}

async function hostConfig(): Promise<Inspected['HostConfig']> {
  const { body } = await fake.api.get('/v1.51/containers/made/json');
  return (body as Inspected).HostConfig;
}

describe('create', () => {
  it.each([
    ['1.24', false],
    ['1.25', true],
  ])('AutoRemove of %s: %s', async (version, AutoRemove) => {
    expect(await create(version, { AutoRemove: true })).toBe(201);
    expect(await hostConfig()).toMatchObject({ AutoRemove });
  });

  it.each([
    ['1.40', 201],
    ['1.41', 404],
  ])('a platform that the image has not, of %s: %s', async (version, status) => {
    expect(await create(version, {}, 'platform=linux/s390x')).toBe(status);
  });
});

it.each([
  ['1.39', null],
  ['1.40', 99],
])('a limit of processes in an update of %s: %s', async (version, PidsLimit) => {
  await create('1.51', {});
  expect((await fake.api.post(`/v${version}/containers/made/update`, { PidsLimit: 99 })).status).toBe(200);
  expect(await hostConfig()).toMatchObject({ PidsLimit });
});

it.each([
  ['1.45', { NetworkMode: 'bridge' }],
  ['1.46', { NetworkMode: 'bridge', Annotations: { a: 'b' } }],
])('the list of %s has of the host configuration %j', async (version, expected) => {
  await create('1.51', { Annotations: { a: 'b' } });
  const { body } = await fake.api.get(`/v${version}/containers/json?all=1`);
  expect((body as readonly Inspected[]).map(({ HostConfig }) => HostConfig)).toEqual([expected]);
});

it.each([
  ['stop', '1.41', 204],
  ['stop', '1.42', 400],
  ['restart', '1.41', 204],
  ['restart', '1.42', 400],
])('the signal of a %s of %s: %s', async (verb, version, status) => {
  await create('1.51', {});
  await fake.api.post('/containers/made/start');
  expect((await fake.api.post(`/v${version}/containers/made/${verb}?t=0&signal=NOPE`)).status).toBe(status);
});
