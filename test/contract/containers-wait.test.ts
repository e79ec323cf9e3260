import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../src/errors.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { scriptedProgram } from '../support/fake-programs.ts';
import type { RawConnection } from '../support/raw-http.ts';

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

async function create(name: string, body: object): Promise<string> {
  const { status, body: answer } = await fake.api.post(`/containers/create?name=${name}`, {
    Image: 'app',
    ...body,
  });
  expect(status).toBe(201);
  return (answer as { readonly Id: string }).Id;
}

/** A wait whose headers have arrived. */
async function openWait(name: string, condition = ''): Promise<RawConnection> {
  const connection = await fake.api.open('POST', `/containers/${name}/wait?condition=${condition}`);
  const head = await connection.readHead();
  expect(head.status).toBe(200);
  expect(head.headers.get('content-type')).toBe('application/json');
  return connection;
}

/** The body that follows the headers, which is chunked. */
async function readAnswer(connection: RawConnection): Promise<unknown> {
  const size = Number.parseInt((await connection.readUntil('\r\n')).toString(), 16);
  const body = await connection.readBytes(size);
  connection.close();
  return JSON.parse(body.toString());
}

const start = (name: string): ReturnType<FakeJob['api']['post']> =>
  fake.api.post(`/containers/${name}/start`);

describe('wait', () => {
  it.each(['next-exit', 'removed'])(
    '%s: headers come before the start, the code after the end',
    async (condition) => {
      await create('waited', { Cmd: ['exit', '42'], HostConfig: { AutoRemove: condition === 'removed' } });
      const waiting = await openWait('waited', condition);
      expect((await start('waited')).status).toBe(204);
      expect(await readAnswer(waiting)).toEqual({ StatusCode: 42 });
    },
  );

  it('not-running is answered at once by a container that never ran, and with the last code later', async () => {
    await create('quick', { Cmd: ['exit', '5'] });
    expect(await readAnswer(await openWait('quick'))).toEqual({ StatusCode: 0 });
    const waiting = await openWait('quick', 'next-exit');
    await start('quick');
    await readAnswer(waiting);
    expect(await readAnswer(await openWait('quick', 'not-running'))).toEqual({ StatusCode: 5 });
  });

  it('many clients get the same end', async () => {
    await create('popular', { Cmd: ['signals'] });
    await start('popular');
    const waits = await Promise.all(Array.from({ length: 20 }, () => openWait('popular')));
    await fake.api.post('/containers/popular/kill?signal=15');
    expect(await Promise.all(waits.map(readAnswer))).toEqual(waits.map(() => ({ StatusCode: 3 })));
  });

  it('next-exit ends with the container, also when it never runs', async () => {
    await create('never', { Cmd: ['hold'] });
    const waiting = await openWait('never', 'next-exit');
    expect((await fake.api.delete('/containers/never')).status).toBe(204);
    expect(await readAnswer(waiting)).toEqual({ StatusCode: 0 });
  });

  it('removed waits for the removal, not for the exit', async () => {
    await create('kept', { Cmd: ['exit', '9'] });
    const removed = await openWait('kept', 'removed');
    const exited = await openWait('kept', 'next-exit');
    await start('kept');
    expect(await readAnswer(exited)).toEqual({ StatusCode: 9 });
    expect((await fake.api.get('/containers/kept/json')).status).toBe(200);
    await fake.api.delete('/containers/kept');
    expect(await readAnswer(removed)).toEqual({ StatusCode: 9 });
  });

  it('refuses a condition that there is none of', async () => {
    await create('odd', {});
    const { status, message } = await fake.api.post('/containers/odd/wait?condition=never');
    expect({ status, message }).toEqual({ status: 400, message: 'invalid condition: "never"' });
  });
});

describe('a start that fails', () => {
  const runc =
    'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: ';
  it.each([
    [
      'a program that is not there',
      `${runc}"x": executable file not found in $PATH: unknown`,
      { status: 400, exitCode: 127 },
    ],
    [
      'a program that may not be run',
      `${runc}"/etc/passwd": permission denied: unknown`,
      { status: 400, exitCode: 126 },
    ],
    ['a directory', `${runc}"/etc": is a directory: unknown`, { status: 400, exitCode: 126 }],
    [
      'anything else',
      'failed to mount rootfs component: invalid argument: unknown',
      { status: 500, exitCode: 128 },
    ],
  ])('%s', async (_name, reason, { status, exitCode }) => {
    await create('failing', { Cmd: ['x'] });
    fake.containerd.failNext('tasks.create', new EngineError('Internal', reason));
    const answer = await start('failing');
    expect(answer).toMatchObject({ status, message: reason.replace(/: unknown$/, '') });
    const { body } = await fake.api.get('/containers/failing/json');
    expect(body).toMatchObject({ State: { Status: 'created', ExitCode: exitCode, Error: answer.message } });
    expect(fake.network.open).toEqual(new Set());
    expect((await start('failing')).status).toBe(204);
  });

  it('is undone where the task is made and does not start', async () => {
    await create('late', { Cmd: ['hold'] });
    fake.containerd.failNext('tasks.start', new EngineError('Internal', 'exec: "x": permission denied'));
    expect((await start('late')).status).toBe(400);
    expect(await fake.job.containerd.tasks.list()).toEqual([]);
    expect((await start('late')).status).toBe(204);
  });

  it('removes a container of --rm, whose waiting client gets the code', async () => {
    await create('gone', { Cmd: ['x'], HostConfig: { AutoRemove: true } });
    const waiting = await openWait('gone', 'removed');
    fake.containerd.failNext(
      'tasks.create',
      new EngineError('Internal', 'exec: "x": executable file not found in $PATH'),
    );
    expect((await start('gone')).status).toBe(400);
    expect(await readAnswer(waiting)).toEqual({ StatusCode: 127 });
    expect((await fake.api.get('/containers/gone/json')).status).toBe(404);
  });

  it('names a user that the image does not know', async () => {
    await create('stranger', { Cmd: ['hold'], User: 'nobody-here' });
    expect(await start('stranger')).toMatchObject({
      status: 400,
      message: 'unable to find user nobody-here: no matching entries in passwd file',
    });
  });
});

describe('--rm', () => {
  it('is gone for every client when the wait is answered, and leaves nothing', async () => {
    const id = await create('brief', { Cmd: ['exit', '1'], HostConfig: { AutoRemove: true } });
    const waiting = await openWait('brief', 'removed');
    await start('brief');
    expect(await readAnswer(waiting)).toEqual({ StatusCode: 1 });
    expect((await fake.api.get(`/containers/${id}/json`)).message).toBe(`No such container: ${id}`);
    await create('brief', { Cmd: ['hold'] });
    await fake.job.tasks.idle();
    expect((await fake.job.containerd.containers.list()).map((one) => one.id)).not.toContain(id);
  });

  it('survives a restart', async () => {
    await create('restarted', { Cmd: ['hold'], HostConfig: { AutoRemove: true } });
    await start('restarted');
    expect((await fake.api.post('/containers/restarted/restart')).status).toBe(204);
    expect((await fake.api.get('/containers/restarted/json')).body).toMatchObject({
      State: { Running: true },
    });
    expect((await fake.api.post('/containers/restarted/stop')).status).toBe(204);
    expect((await fake.api.get('/containers/restarted/json')).status).toBe(404);
  });
});

describe('a log that cannot be written out at the end', () => {
  it('does not keep the exit code from who waits', async () => {
    const { logs } = fake.job;
    const openWriter = logs.openWriter.bind(logs);
    Object.assign(logs, {
      openWriter: async (id: string) => {
        const writer = await openWriter(id);
        return {
          write: writer.write.bind(writer),
          close: async () => {
            await writer.close();
            throw new Error('ENOSPC: no space left on device');
          },
        };
      },
    });
    try {
      await create('full', { Cmd: ['exit', '6'] });
      const waiting = await openWait('full', 'next-exit');
      await start('full');
      expect(await readAnswer(waiting)).toEqual({ StatusCode: 6 });
    } finally {
      Object.assign(logs, { openWriter });
    }
  });
});

describe('events', () => {
  it('come in the order of what happened', async () => {
    const id = await create('told', { Cmd: ['exit', '2'], HostConfig: { AutoRemove: true } });
    const waiting = await openWait('told', 'removed');
    const attached = await fake.api.open('POST', '/containers/told/attach?stream=1&stdout=1');
    await attached.readHead();
    await start('told');
    await readAnswer(waiting);
    attached.close();
    // Date.now() cuts the millisecond in which the last event may lie.
    const until = ((Date.now() + 5) / 1000).toFixed(6);
    const filters = encodeURIComponent(JSON.stringify({ container: [id] }));
    const stream = await fake.api.open('GET', `/events?since=1&until=${until}&filters=${filters}`);
    const { body } = await stream.readResponse();
    stream.close();
    const events = body
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { Action: string; Actor: { Attributes: Record<string, string> } });
    expect(events.map(({ Action }) => Action)).toEqual(['create', 'attach', 'start', 'die', 'destroy']);
    expect(events[3]?.Actor.Attributes).toMatchObject({ exitCode: '2', image: 'app', name: 'told' });
  });
});
