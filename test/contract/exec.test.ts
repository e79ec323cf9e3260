import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EngineError } from '../../src/errors.ts';
import { textOf } from '../support/api-client.ts';
import { countOpenFiles, startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { scriptedProgram } from '../support/fake-programs.ts';
import type { RawConnection } from '../support/raw-http.ts';

const UPGRADE = { Connection: 'Upgrade', Upgrade: 'tcp' };
const OUTPUTS = { AttachStdout: true, AttachStderr: true };

let fake: FakeJob;
let containerId: string;

beforeAll(async () => {
  fake = await startFakeJob();
  fake.containerd.setProgram(scriptedProgram);
});
beforeEach(async () => {
  const { body } = await fake.api.post('/containers/create?name=host', { Image: 'app', Cmd: ['hold'] });
  containerId = (body as { readonly Id: string }).Id;
  expect(await fake.api.post('/containers/host/start')).toMatchObject({ status: 204, message: '' });
});
afterEach(() => fake.clear());
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

async function create(cmd: readonly string[], body: object = OUTPUTS): Promise<string> {
  const { status, body: answer } = await fake.api.post('/containers/host/exec', { Cmd: cmd, ...body });
  expect(status).toBe(201);
  return (answer as { readonly Id: string }).Id;
}

async function start(id: string, body: object = {}): Promise<RawConnection> {
  const connection = await fake.api.open('POST', `/exec/${id}/start`, { body, headers: UPGRADE });
  expect((await connection.readHead()).status).toBe(101);
  return connection;
}

async function inspect(id: string): Promise<unknown> {
  return (await fake.api.get(`/exec/${id}/json`)).body;
}

describe('exec', () => {
  it('is made, run attached and inspected', async () => {
    const id = await create(['print', 'out', 'err', '6']);
    expect(await inspect(id)).toMatchObject({
      ID: id,
      Running: false,
      ExitCode: null,
      ContainerID: containerId,
      ProcessConfig: { entrypoint: 'print', arguments: ['out', 'err', '6'], tty: false, privileged: false },
    });
    const connection = await start(id);
    const bytes = await connection.readToEnd();
    connection.close();
    expect([textOf(bytes, 'stdout'), textOf(bytes, 'stderr')]).toEqual(['out', 'err']);
    expect(await inspect(id)).toMatchObject({ Running: false, ExitCode: 6 });
  });

  it('runs detached, answered as soon as it runs', async () => {
    const id = await create(['signals']);
    expect((await fake.api.post(`/exec/${id}/start`, { Detach: true })).status).toBe(200);
    expect(await inspect(id)).toMatchObject({ Running: true, ExitCode: null });
    expect((await fake.api.get('/containers/host/json')).body).toMatchObject({ ExecIDs: [id] });
  });

  it('that could not be begun has the exit code that its version of the API has for that', async () => {
    const id = await create(['nope']);
    const reason = 'exec: "nope": executable file not found in $PATH';
    fake.containerd.failNext('tasks.start', new EngineError('Internal', reason));
    expect((await fake.api.post(`/exec/${id}/start`, { Detach: true })).status).toBe(400);
    expect(await inspect(id)).toMatchObject({ Running: false, ExitCode: 127 });
    expect((await fake.api.get(`/v1.42/exec/${id}/json`)).body).toMatchObject({ ExitCode: 127 });
    expect((await fake.api.get(`/v1.41/exec/${id}/json`)).body).toMatchObject({ ExitCode: 126 });
  });

  it('with a terminal: raw bytes', async () => {
    const id = await create(['print', 'raw', '', '0'], { ...OUTPUTS, Tty: true });
    const connection = await start(id, { Tty: true });
    expect((await connection.readToEnd()).toString()).toBe('raw');
    connection.close();
  });

  it('has its terminal sized when a client asks for it before the process runs', async () => {
    const id = await create(['hold'], { ...OUTPUTS, Tty: true });
    const resized = fake.api.post(`/exec/${id}/resize?h=24&w=80`);
    const connection = await start(id, { Tty: true });
    expect(await resized).toMatchObject({ status: 200, message: '' });
    connection.close();
  });

  it('with a terminal that the start does not name: framed, as docker-py expects it', async () => {
    const id = await create(['print', 'framed', '', '0'], { ...OUTPUTS, Tty: true });
    const connection = await start(id);
    expect(textOf(await connection.readToEnd(), 'stdout')).toBe('framed');
    connection.close();
  });

  it('goes on with output after the client has ended its input', async () => {
    const id = await create(['cat'], { ...OUTPUTS, AttachStdin: true });
    const connection = await start(id);
    connection.send('typed');
    connection.end();
    expect(textOf(await connection.readToEnd(), 'stdout')).toBe('typed|end');
    connection.close();
    expect(await inspect(id)).toMatchObject({ ExitCode: 7 });
  });

  it('takes a body and input in one packet with the request', async () => {
    const id = await create(['cat'], { ...OUTPUTS, AttachStdin: true });
    const body = '{"Detach":false}';
    const connection = await fake.api.open('POST', `/exec/${id}/start`, {
      body: `${body}at once`,
      headers: { ...UPGRADE, 'Content-Length': String(body.length) },
    });
    connection.end();
    expect((await connection.readHead()).status).toBe(101);
    expect(textOf(await connection.readToEnd(), 'stdout')).toBe('at once|end');
    connection.close();
  });

  it('leaves on the detach keys and lets the process run', async () => {
    const id = await create(['signals'], { ...OUTPUTS, AttachStdin: true, Tty: true });
    const connection = await start(id);
    connection.send(Buffer.from([16, 17]));
    expect((await connection.readToEnd()).length).toBe(0);
    connection.close();
    expect(await inspect(id)).toMatchObject({ Running: true });
  });

  it('has no input where none was asked for', async () => {
    const connection = await start(await create(['cat']));
    connection.send('nobody reads this');
    expect(textOf(await connection.readToEnd(), 'stdout')).toBe('|end');
    connection.close();
  });
});

describe('exec is refused', () => {
  it.each<[string, object | string, string]>([
    ['without a command', {}, 'No exec command specified'],
    ['with an empty command', { Cmd: [] }, 'No exec command specified'],
  ])('%s', async (_name, body, message) => {
    expect(await fake.api.post('/containers/host/exec', body)).toMatchObject({
      status: 400,
      message: expect.stringMatching(new RegExp(message, 'i')) as string,
    });
  });

  it('under an id that is none', async () => {
    const message = 'No such exec instance: nobody';
    expect(await fake.api.get('/exec/nobody/json')).toMatchObject({ status: 404, message });
    expect(await fake.api.post('/exec/nobody/start', {})).toMatchObject({ status: 404, message });
    expect(await fake.api.post('/exec/nobody/resize?h=1&w=1')).toMatchObject({ status: 404, message });
    expect((await fake.api.get('/exec/__proto__/json')).status).toBe(404);
  });

  it('twice', async () => {
    const id = await create(['signals']);
    await fake.api.post(`/exec/${id}/start`, { Detach: true });
    expect(await fake.api.post(`/exec/${id}/start`, { Detach: true })).toMatchObject({
      status: 409,
      message: `Error: Exec command ${id} is already running`,
    });
    const ended = await create(['exit', '0']);
    (await start(ended)).close();
    await vi.waitFor(async () => expect(await inspect(ended)).toMatchObject({ ExitCode: 0 }));
    expect(await fake.api.post(`/exec/${ended}/start`, {})).toMatchObject({
      status: 409,
      message: `Error: Exec command ${ended} has already run`,
    });
  });

  it('when only one of two starts at the same time can win', async () => {
    const id = await create(['signals']);
    const answers = await Promise.all([1, 2].map(() => fake.api.post(`/exec/${id}/start`, { Detach: true })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('when its container has stopped meanwhile', async () => {
    const id = await create(['exit', '0']);
    await fake.api.post('/containers/host/stop');
    expect(await fake.api.post(`/exec/${id}/start`, {})).toMatchObject({
      status: 409,
      message: `Container ${containerId} is not running`,
    });
  });

  it('while its container is paused', async () => {
    await fake.api.post('/containers/host/pause');
    expect(await fake.api.post('/containers/host/exec', { Cmd: ['x'] })).toMatchObject({
      status: 409,
      message: 'Container host is paused, unpause the container before exec',
    });
  });
});

describe('an exec whose program does not start', () => {
  it.each([
    ['exec: "x": executable file not found in $PATH: unknown', 127],
    ['exec: "/etc/passwd": permission denied: unknown', 126],
  ])('%s', async (reason, exitCode) => {
    const id = await create(['x']);
    fake.containerd.failNext('tasks.start', new EngineError('Internal', reason));
    const connection = await start(id);
    const bytes = await connection.readToEnd();
    connection.close();
    expect(textOf(bytes, 'stdout')).toBe(`${reason.replace(/: unknown$/, '')}\r\n`);
    expect(await inspect(id)).toMatchObject({ Running: false, ExitCode: exitCode });
  });

  it('detached: the answer says why', async () => {
    const id = await create(['x']);
    fake.containerd.failNext('tasks.exec', new EngineError('Internal', 'exec: "x": permission denied'));
    expect(await fake.api.post(`/exec/${id}/start`, { Detach: true })).toMatchObject({ status: 400 });
    expect(await inspect(id)).toMatchObject({ ExitCode: 126 });
  });
});

describe('a client that vanishes', { timeout: 30_000 }, () => {
  it.each<[string, readonly string[], object]>([
    ['in the middle of output', ['flood', '4'], OUTPUTS],
    ['while it types', ['cat'], { ...OUTPUTS, AttachStdin: true }],
  ])('%s leaves nothing open once the process has ended', async (_name, cmd, body) => {
    const rounds = 8;
    const live = async (): Promise<void> => {
      const id = await create(cmd, body);
      const connection = await start(id);
      if (cmd[0] === 'flood') await connection.readBytes(8);
      connection.close();
      await vi.waitFor(async () => expect(await inspect(id)).toMatchObject({ Running: false }), 10_000);
    };
    await live();
    const before = await countOpenFiles();
    for (let round = 0; round < rounds; round += 1) await live();
    await vi.waitFor(async () => expect(await countOpenFiles()).toBeLessThan(before + rounds / 2), 10_000);
  });
});
