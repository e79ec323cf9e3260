import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { DEFAULT_LIMITS } from '../support/contract-app.ts';

let fake: FakeJob;

beforeAll(async () => {
  const limits = { ...DEFAULT_LIMITS, containers: 2, execs: 2, volumes: 1, bodyBytes: 4096 };
  fake = await startFakeJob({ settings: { limits } });
});
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

function refused(count: number, name: string): object {
  const message = `the job has ${count} ${name} already, the most it may have (limits.${name})`;
  return { status: 403, message };
}

function create(name: string): ReturnType<FakeJob['api']['post']> {
  return fake.api.post(`/containers/create?name=${name}`, { Image: 'app' });
}

describe('one more than the limit is refused by name, until one goes', () => {
  it('containers, also when they come all at once', async () => {
    const answers = await Promise.all(['one', 'two', 'three', 'four'].map(create));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 403, 403]);
    expect(await create('five')).toMatchObject(refused(2, 'containers'));
    await fake.clear();
    expect(await create('five')).toMatchObject({ status: 201 });
    await fake.clear();
  });

  it('execs that have not ended', async () => {
    await create('host');
    await fake.api.post('/containers/host/start');
    const exec = (): ReturnType<FakeJob['api']['post']> =>
      fake.api.post('/containers/host/exec', { Cmd: ['x'] });
    expect([(await exec()).status, (await exec()).status]).toEqual([201, 201]);
    expect(await exec()).toMatchObject(refused(2, 'execs'));
    await fake.clear();
  });

  it('volumes, with names and without', async () => {
    expect(await fake.api.post('/volumes/create', { Name: 'one' })).toMatchObject({ status: 201 });
    expect(await fake.api.post('/volumes/create', { Name: 'one' })).toMatchObject({ status: 201 });
    expect(await fake.api.post('/volumes/create', {})).toMatchObject(refused(1, 'volumes'));
    const asked = { Image: 'app', HostConfig: { Binds: ['two:/data'] } };
    expect(await fake.api.post('/containers/create', asked)).toMatchObject(refused(1, 'volumes'));
    await fake.api.delete('/volumes/one');
    expect(await fake.api.post('/volumes/create', {})).toMatchObject({ status: 201 });
  });

  it('bytes of a body', async () => {
    const body = { Image: 'app', Env: ['x'.repeat(5000)] };
    expect(await fake.api.post('/containers/create', body)).toMatchObject({
      status: 413,
      message: 'request body is larger than 4096 bytes',
    });
  });
});
