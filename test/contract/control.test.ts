import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createControlApp } from '../../src/job/control.ts';
import { listen, type Listener } from '../../src/job/listen.ts';
import { askControl } from '../support/control-client.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';

// The runner's own socket.

let fake: FakeJob;
let directory: string;
let control: Listener;
let stops = 0;

beforeAll(async () => {
  fake = await startFakeJob();
  directory = await mkdtemp(join(tmpdir(), 'berth-control-'));
  const app = createControlApp(fake.job, () => {
    stops += 1;
  });
  control = await listen({ socketPath: join(directory, 'c.sock'), app, mode: 0o600 });
});
afterAll(async () => {
  await control.close();
  await rm(directory, { recursive: true });
  await fake.close();
});

async function ask(method: string, path: string, body?: object): Promise<readonly [number, unknown]> {
  const answer = await askControl(join(directory, 'c.sock'), { method, path, ...(body ? { body } : {}) });
  return [answer.status, JSON.parse(answer.body)];
}

it('reports on the living job', async () => {
  expect(await ask('GET', '/_berth/report')).toEqual([
    200,
    expect.objectContaining({ job: fake.job.id, containers: 0, running: 0 }),
  ]);
});

it('stops the job once it has answered', async () => {
  expect(await ask('POST', '/_berth/stop')).toEqual([202, { stopping: true }]);
  expect(stops).toBe(1);
});

it.each([
  ['GET', '/_berth/stop'],
  ['POST', '/_berth/nothing'],
  ['GET', '/containers/json'],
])('%s %s is nothing', async (method, path) => {
  expect(await ask(method, path)).toEqual([404, { message: 'page not found' }]);
  expect(stops).toBe(1);
});

it('says what is wrong with a registration', async () => {
  expect(await ask('PUT', '/_berth/job-container', { pid: 'one' })).toEqual([
    400,
    { message: expect.any(String) as string },
  ]);
});
