import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseFrames, textOf } from '../support/api-client.ts';
import { countOpenFiles, startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { scriptedProgram } from '../support/fake-programs.ts';
import type { RawConnection } from '../support/raw-http.ts';

const UPGRADE = { Connection: 'Upgrade', Upgrade: 'tcp' };
const OUTPUTS = 'stream=1&stdout=1&stderr=1';
const FLOOD_MIB = 48;

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

async function create(name: string, body: object): Promise<void> {
  const { status } = await fake.api.post(`/containers/create?name=${name}`, { Image: 'app', ...body });
  expect(status).toBe(201);
}

async function start(name: string): Promise<void> {
  expect((await fake.api.post(`/containers/${name}/start`)).status).toBe(204);
}

async function attach(name: string, query = OUTPUTS, headers: object = UPGRADE): Promise<RawConnection> {
  const connection = await fake.api.open('POST', `/containers/${name}/attach?${query}`, {
    headers: { ...headers },
  });
  expect((await connection.readHead()).status).toBe('Upgrade' in headers ? 101 : 200);
  return connection;
}

async function logsOf(name: string, query = 'stdout=1&stderr=1'): Promise<Buffer> {
  const connection = await fake.api.open('GET', `/containers/${name}/logs?${query}`);
  const { status, body } = await connection.readResponse();
  connection.close();
  expect(status).toBe(200);
  return body;
}

describe('attach', () => {
  it.each([
    ['with Upgrade', UPGRADE],
    ['without', {}],
  ])('before the start, %s: misses nothing and ends with the output', async (_name, headers) => {
    await create('early', { Cmd: ['print', 'out', 'err', '0'] });
    const connection = await attach('early', OUTPUTS, headers);
    await start('early');
    const bytes = await connection.readToEnd();
    connection.close();
    expect([textOf(bytes, 'stdout'), textOf(bytes, 'stderr')]).toEqual(['out', 'err']);
  });

  it('gives each client what it asked for', async () => {
    await create('both', { Cmd: ['print', 'out', 'err', '0'] });
    const [out, err, none] = await Promise.all([
      attach('both', 'stream=1&stdout=1'),
      attach('both', 'stream=1&stderr=1'),
      attach('both', 'stream=1'),
    ]);
    await start('both');
    expect(parseFrames(await out.readToEnd())).toEqual([{ stream: 'stdout', text: 'out' }]);
    expect(parseFrames(await err.readToEnd())).toEqual([{ stream: 'stderr', text: 'err' }]);
    expect((await none.readToEnd()).length).toBe(0);
    for (const connection of [out, err, none]) connection.close();
  });

  it('with a terminal: raw bytes of both outputs', async () => {
    await create('terminal', { Cmd: ['print', 'raw', '', '0'], Tty: true });
    const connection = await attach('terminal');
    await start('terminal');
    expect((await connection.readToEnd()).toString()).toBe('raw');
    connection.close();
  });

  it('goes on with output after the client has ended its input', async () => {
    await create('piped', { Cmd: ['cat'], OpenStdin: true, StdinOnce: true });
    const connection = await attach('piped', `${OUTPUTS}&stdin=1`);
    connection.send('typed before the start ');
    await start('piped');
    connection.send('and after');
    connection.end();
    const bytes = await connection.readToEnd();
    connection.close();
    expect(textOf(bytes, 'stdout')).toBe('typed before the start and after|end');
  });

  it('a client that vanishes ends the input that was its alone, as dockerd does', async () => {
    await create('left', { Cmd: ['cat'], OpenStdin: true, StdinOnce: true });
    const connection = await attach('left', `${OUTPUTS}&stdin=1`);
    await start('left');
    const waiting = fake.api.post('/containers/left/wait');
    connection.send('typed');
    await connection.readBytes(8);
    connection.close();
    expect((await waiting).status).toBe(200);
    expect(textOf(await logsOf('left'), 'stdout')).toBe('typed|end');
  });

  it('replays what was printed and goes on', async () => {
    await create('replayed', { Cmd: ['signals'] });
    await start('replayed');
    await fake.api.post('/containers/replayed/kill?signal=HUP');
    await vi.waitFor(async () => expect((await logsOf('replayed')).length).toBeGreaterThan(0));
    const connection = await attach('replayed', `${OUTPUTS}&logs=1`);
    await fake.api.post('/containers/replayed/kill?signal=TERM');
    expect(textOf(await connection.readToEnd(), 'stdout')).toBe('1\n15\n');
    connection.close();
  });

  it('loses no byte of a flood, whatever the client reads', async () => {
    await create('flood', { Cmd: ['flood', String(FLOOD_MIB)], Tty: true });
    const connection = await attach('flood');
    await start('flood');
    const digest = createHash('sha256');
    for (let mib = 0; mib < FLOOD_MIB; mib += 1) digest.update(await connection.readBytes(1 << 20));
    expect((await connection.readToEnd()).length).toBe(0);
    connection.close();
    const wanted = createHash('sha256').update(Buffer.alloc(FLOOD_MIB << 20, 'x'));
    expect(digest.digest('hex')).toBe(wanted.digest('hex'));
  });

  it('ends when its container is removed unstarted', async () => {
    await create('unstarted', { Cmd: ['hold'] });
    const connection = await attach('unstarted');
    await fake.api.delete('/containers/unstarted');
    expect((await connection.readToEnd()).length).toBe(0);
    connection.close();
  });
});

describe('logs', () => {
  it('have both outputs apart, kept after the exit, the last line without its end', async () => {
    await create('logged', { Cmd: ['print', 'one\ntwo\nthree', 'bad', '0'] });
    await start('logged');
    await fake.api.post('/containers/logged/wait');
    const all = await logsOf('logged');
    expect([textOf(all, 'stdout'), textOf(all, 'stderr')]).toEqual(['one\ntwo\nthree', 'bad']);
    expect(textOf(await logsOf('logged', 'stdout=1&tail=1'), 'stdout')).toBe('three');
    expect(textOf(await logsOf('logged', 'stdout=1&timestamps=1&tail=1'), 'stdout')).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z three$/,
    );
  });

  it('follow to the exit', async () => {
    await create('followed', { Cmd: ['signals'] });
    await start('followed');
    const following = logsOf('followed', 'stdout=1&follow=1');
    for (const signal of ['HUP', 'USR1', 'TERM'])
      await fake.api.post(`/containers/followed/kill?signal=${signal}`);
    expect(textOf(await following, 'stdout')).toBe('1\n10\n15\n');
  });

  it('need at least one stream', async () => {
    await create('silent', {});
    expect(await fake.api.get('/containers/silent/logs')).toMatchObject({
      status: 400,
      message: 'Bad parameters: you must choose at least one stream',
    });
  });
});

const ROUNDS = 10;

/** What leaks a descriptor each time has at least one more for every round; the loop itself may have one or two more at any moment. */
async function expectNoGrowth(act: () => Promise<void>): Promise<void> {
  await act();
  const before = await countOpenFiles();
  for (let round = 0; round < ROUNDS; round += 1) await act();
  await vi.waitFor(async () => expect(await countOpenFiles()).toBeLessThan(before + ROUNDS / 2), 20_000);
}

describe('a client that vanishes', { timeout: 30_000 }, () => {
  // Each opens one stream of the running container `left`, up to its first byte.
  const streams: readonly (readonly [string, () => Promise<RawConnection>])[] = [
    ['attach', () => attach('left')],
    ['attach with input', () => attach('left', `${OUTPUTS}&stdin=1`)],
    ['logs', () => fake.api.open('GET', '/containers/left/logs?stdout=1&follow=1')],
    ['wait', () => fake.api.open('POST', '/containers/left/wait')],
    ['events', () => fake.api.open('GET', '/events')],
  ];

  it.each(streams)('from %s leaves nothing open, and the container running', async (_name, open) => {
    await create('left', { Cmd: ['cat'], OpenStdin: true });
    await start('left');
    await expectNoGrowth(async () => (await open()).close());
    expect((await fake.api.get('/containers/left/json')).body).toMatchObject({ State: { Running: true } });
  });

  it('does not hold the container up, nor others that read', async () => {
    await create('busy', { Cmd: ['flood', String(FLOOD_MIB)] });
    const [leaving, reading] = await Promise.all([attach('busy'), attach('busy')]);
    await start('busy');
    await leaving.readBytes(8);
    leaving.close();
    let size = 0;
    for (let mib = 0; mib < FLOOD_MIB; mib += 1) size += (await reading.readBytes(1 << 20)).length;
    size += (await reading.readToEnd()).length;
    reading.close();
    expect(size).toBeGreaterThan(FLOOD_MIB << 20);
    expect((await fake.api.post('/containers/busy/wait')).body).toEqual({ StatusCode: 0 });
  });

  it('leaves no descriptor of containers that have come and gone', async () => {
    const live = async (): Promise<void> => {
      await create('passing', { Cmd: ['print', 'x', 'y', '0'], OpenStdin: true });
      const connection = await attach('passing', `${OUTPUTS}&stdin=1`);
      await start('passing');
      connection.close();
      await fake.api.post('/containers/passing/wait');
      await fake.clear();
    };
    await expectNoGrowth(live);
  });
});
