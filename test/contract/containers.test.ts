import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../src/errors.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { scriptedProgram } from '../support/fake-programs.ts';

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

async function create(name: string, body: object = {}): Promise<string> {
  const {
    status,
    body: answer,
    message,
  } = await fake.api.post(`/containers/create?name=${name}`, {
    Image: 'app',
    Cmd: ['hold'],
    ...body,
  });
  expect({ status, message }).toEqual({ status: 201, message: '' });
  return (answer as { readonly Id: string }).Id;
}

async function expectAnswer(
  answer: Promise<{ readonly status: number; readonly message: string }>,
  status: number,
  message: string | RegExp = '',
): Promise<void> {
  const { status: found, message: text } = await answer;
  expect({ status: found, message: text }).toEqual({
    status,
    message: typeof message === 'string' ? message : (expect.stringMatching(message) as string),
  });
}

describe('create', () => {
  it('answers 201 with the id and a list of warnings', async () => {
    const { status, body } = await fake.api.post('/containers/create', { Image: 'app' });
    expect(status).toBe(201);
    expect(body).toEqual({ Id: expect.stringMatching(/^[0-9a-f]{64}$/) as string, Warnings: [] });
  });

  it.each<[string, object | string, readonly [number, string | RegExp]]>([
    ['an image that is not here', { Image: 'nope' }, [404, 'No such image: nope:latest']],
    ['no image', { Cmd: ['x'] }, [400, /^Image is required|Config cannot be empty/]],
    ['an empty object', {}, [400, /^Config cannot be empty/]],
    ['a member of the wrong type', '{"Image":"app","Tty":"yes"}', [400, /^invalid JSON: /]],
    ['two documents', '{"Image":"app"}{}', [400, /unexpected content after JSON/]],
    ['a cut document', '{"Image":"app"', [400, /^invalid JSON: /]],
  ])('%s', async (_name, body, [status, message]) => {
    await expectAnswer(fake.api.post('/containers/create', body), status, message);
  });

  it.each(['a', '__proto__', '-x', 'a/b', 'a b', 'ä', '.x'])('does not take the name %j', async (name) => {
    await expectAnswer(
      fake.api.post(`/containers/create?name=${encodeURIComponent(name)}`, { Image: 'app' }),
      400,
      `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  });

  it.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf', '0.x-y_z'])(
    'takes the name %s as any other',
    async (name) => {
      await expectAnswer(fake.api.get(`/containers/${name}/json`), 404, `No such container: ${name}`);
      const id = await create(name);
      const { body } = await fake.api.get(`/containers/${name}/json`);
      expect(body).toMatchObject({ Id: id, Name: `/${name}` });
    },
  );

  it('keeps a label named __proto__, and nothing inherits from it', async () => {
    await create('labelled', { Labels: JSON.parse('{"__proto__":"x","constructor":"y"}') as object });
    const { body } = await fake.api.get('/containers/labelled/json');
    const { Labels } = (body as { readonly Config: { readonly Labels: object } }).Config;
    expect(Object.entries(Labels)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  it('refuses a name that is taken, and forgets it with its container', async () => {
    const id = await create('taken');
    await expectAnswer(
      fake.api.post('/containers/create?name=taken', { Image: 'app' }),
      409,
      `Conflict. The container name "/taken" is already in use by container "${id}". ` +
        'You have to remove (or rename) that container to be able to reuse that name.',
    );
    await expectAnswer(fake.api.delete('/containers/taken'), 204);
    await create('taken');
  });

  it('leaves nothing where containerd fails in the middle', async () => {
    fake.containerd.failNext('containers.create', new EngineError('Internal', 'disk full'));
    await expectAnswer(fake.api.post('/containers/create?name=halfway', { Image: 'app' }), 500, 'disk full');
    const { containerd, store } = fake.job;
    expect(await containerd.containers.list()).toEqual([]);
    const snapshots = await store.snapshots.list();
    expect(snapshots.filter(({ kind }) => kind !== 'committed')).toEqual([]);
    await create('halfway');
  });
});

describe('references', () => {
  it('takes ids, prefixes and names', async () => {
    const id = await create('named');
    for (const reference of [id, id.slice(0, 12), id.slice(0, 1), 'named']) {
      expect((await fake.api.get(`/containers/${reference}/json`)).body).toMatchObject({ Id: id });
    }
  });

  it('says that a prefix is ambiguous, on every verb', async () => {
    const ids = await Promise.all(Array.from({ length: 17 }, (_, index) => create(`many${index}`)));
    const prefix = ids.map((id) => id.slice(0, 1)).find((start, index, all) => all.indexOf(start) !== index);
    const message = `multiple IDs found with provided prefix: ${String(prefix)}`;
    await expectAnswer(fake.api.get(`/containers/${String(prefix)}/json`), 400, message);
    await expectAnswer(fake.api.post(`/containers/${String(prefix)}/start`), 400, message);
    await expectAnswer(fake.api.delete(`/containers/${String(prefix)}?force=1`), 400, message);
    expect(fake.job.containers.list()).toHaveLength(17);
  });

  it.each<[string, string, string]>([
    ['get', 'json', ''],
    ['get', 'logs?stdout=1', ''],
    ['get', 'top', ''],
    ['get', 'archive?path=/', ''],
    ['post', 'start', ''],
    ['post', 'stop', ''],
    ['post', 'restart', ''],
    ['post', 'pause', ''],
    ['post', 'unpause', ''],
    ['post', 'wait', ''],
    ['post', 'attach?stream=1', ''],
    ['post', 'resize?h=1&w=1', ''],
    ['post', 'rename?name=other', ''],
    ['post', 'exec', '{"Cmd":["x"]}'],
  ])('%s %s of an unknown container is 404 in the words of dockerd', async (method, verb, body) => {
    const path = `/containers/nobody/${verb}`;
    const answer =
      method === 'get' ? fake.api.get(path) : fake.api.post(path, body === '' ? undefined : body);
    await expectAnswer(answer, 404, 'No such container: nobody');
  });

  it('kill of an unknown container says what could not be done', async () => {
    const answer = fake.api.post('/containers/nobody/kill');
    await expectAnswer(answer, 404, 'Cannot kill container: nobody: No such container: nobody');
  });
});

describe('the life of a container', () => {
  it('starts once, stops once, starts again', async () => {
    await create('life');
    for (const round of [1, 2]) {
      await expectAnswer(fake.api.post('/containers/life/start'), 204);
      await expectAnswer(fake.api.post('/containers/life/start'), 304);
      expect((await fake.api.get('/containers/life/json')).body).toMatchObject({
        State: { Status: 'running', Running: true, ExitCode: 0 },
        RestartCount: 0,
      });
      await expectAnswer(fake.api.post('/containers/life/stop?t=30'), 204);
      await expectAnswer(fake.api.post('/containers/life/stop'), 304);
      expect((await fake.api.get('/containers/life/json')).body, `round ${round}`).toMatchObject({
        State: { Status: 'exited', Running: false, ExitCode: 143 },
      });
    }
    await fake.job.tasks.idle();
    expect(fake.network.open).toEqual(new Set());
  });

  it('is 409 where it would have to run, with its id', async () => {
    const id = await create('idle');
    await expectAnswer(
      fake.api.post('/containers/idle/kill'),
      409,
      `Cannot kill container: idle: Container ${id} is not running`,
    );
    await expectAnswer(fake.api.post('/containers/idle/pause'), 409, `Container ${id} is not running`);
    await expectAnswer(
      fake.api.post('/containers/idle/exec', { Cmd: ['x'] }),
      409,
      `Container ${id} is not running`,
    );
    await expectAnswer(fake.api.post('/containers/idle/resize?h=1&w=1'), 409, /is not running/);
  });

  it('removes a running one by force only', async () => {
    const id = await create('busy');
    await fake.api.post('/containers/busy/start');
    await expectAnswer(
      fake.api.delete('/containers/busy'),
      409,
      'cannot remove container "/busy": container is running: stop the container before removing or force remove',
    );
    await expectAnswer(
      fake.api.delete('/v1.43/containers/busy'),
      409,
      `You cannot remove a running container ${id}. Stop the container before attempting removal or force remove`,
    );
    await fake.api.post('/containers/busy/pause');
    await expectAnswer(
      fake.api.delete('/containers/busy'),
      409,
      'cannot remove container "/busy": container is paused and must be unpaused first',
    );
    await expectAnswer(
      fake.api.delete('/v1.43/containers/busy'),
      409,
      `You cannot remove a paused container ${id}. Unpause and then stop the container before attempting removal or force remove`,
    );
    await expectAnswer(fake.api.delete('/containers/busy?force=1'), 204);
    await expectAnswer(fake.api.delete('/containers/busy?force=1'), 404, 'No such container: busy');
  });

  it('kills with the signal asked for, and refuses what is none', async () => {
    await create('signalled', { Cmd: ['signals'] });
    await fake.api.post('/containers/signalled/start');
    for (const signal of ['HUP', 'sigusr1', '12'])
      await expectAnswer(fake.api.post(`/containers/signalled/kill?signal=${signal}`), 204);
    await expectAnswer(
      fake.api.post('/containers/signalled/kill?signal=NOPE'),
      400,
      /^[Ii]nvalid signal: NOPE/,
    );
    const waiting = fake.api.post('/containers/signalled/wait');
    await expectAnswer(fake.api.post('/containers/signalled/kill?signal=TERM'), 204);
    expect((await waiting).body).toEqual({ StatusCode: 3 });
    const { body } = await fake.api.get('/containers/signalled/json');
    expect(body).toMatchObject({ State: { ExitCode: 3, Status: 'exited' } });
  });

  it('ends one that ignores its stop signal', async () => {
    await create('deaf', { Cmd: ['deaf'] });
    await fake.api.post('/containers/deaf/start');
    await expectAnswer(fake.api.post('/containers/deaf/stop?t=0'), 204);
    expect((await fake.api.get('/containers/deaf/json')).body).toMatchObject({ State: { ExitCode: 137 } });
  });

  it('gives its name to another and takes a new one', async () => {
    const id = await create('before');
    await create('other');
    await expectAnswer(fake.api.post('/containers/before/rename?name=other'), 409, /already in use/);
    await expectAnswer(fake.api.post('/containers/before/rename?name=after'), 204);
    await expectAnswer(fake.api.get('/containers/before/json'), 404, 'No such container: before');
    expect((await fake.api.get('/containers/after/json')).body).toMatchObject({ Id: id, Name: '/after' });
  });

  it('is removed by force while it is being started, and leaves nothing', async () => {
    for (let round = 0; round < 10; round += 1) {
      await create('raced');
      const start = fake.api.post('/containers/raced/start');
      const remove = fake.api.delete('/containers/raced?force=1');
      expect((await remove).status).toBe(204);
      expect([204, 404, 409]).toContain((await start).status);
      await fake.job.tasks.idle();
      expect(await fake.job.containerd.containers.list()).toEqual([]);
      expect(await fake.job.containerd.tasks.list()).toEqual([]);
      expect(fake.network.open).toEqual(new Set());
    }
  });
});

describe('with containerd away', () => {
  it('answers 503 and says why, changes nothing, and goes on when it is back', async () => {
    await create('patient');
    fake.containerd.setDown(true);
    const start = await fake.api.post('/containers/patient/start');
    const made = await fake.api.post('/containers/create?name=fresh', { Image: 'app' });
    expect(start).toMatchObject({ status: 503, message: expect.stringContaining('containerd') as string });
    expect(made).toMatchObject({ status: 503, message: expect.stringContaining('containerd') as string });
    expect((await fake.api.get('/containers/json?all=1')).body).toHaveLength(1);
    fake.containerd.setDown(false);
    await create('fresh');
    await expectAnswer(fake.api.post('/containers/patient/start'), 204);
  });
});
