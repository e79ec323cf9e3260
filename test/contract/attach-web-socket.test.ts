import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { scriptedProgram } from '../support/fake-programs.ts';

const SHAKE = {
  ...{ Connection: 'Upgrade', Upgrade: 'websocket' },
  ...{ 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' },
};

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

interface Talk {
  readonly client: WebSocket;
  /** All that came until the daemon closed, with the code that it closed with. */
  readonly heard: Promise<{ readonly text: string; readonly binary: boolean; readonly code: number }>;
}

async function attach(
  name: string,
  options: { query?: string; version?: string; origin?: string } = {},
): Promise<Talk> {
  const { query = 'stream=1&stdin=1&stdout=1&stderr=1', version = '1.41', origin } = options;
  const path = `/v${version}/containers/${name}/attach/ws?${query}`;
  const client = new WebSocket(
    `ws+unix://${fake.api.socketPath}:${path}`,
    origin === undefined ? {} : { origin },
  );
  const messages: Buffer[] = [];
  let binary = false;
  client.on('message', (data: Buffer, isBinary) => {
    messages.push(data);
    binary = isBinary;
  });
  const heard = once(client, 'close').then(([code]) => ({
    ...{ text: Buffer.concat(messages).toString(), binary },
    code: Number(code),
  }));
  await once(client, 'open');
  return { client, heard };
}

async function start(name: string): Promise<void> {
  expect((await fake.api.post(`/containers/${name}/start`)).status).toBe(204);
}

describe('attach by WebSocket', () => {
  it('sends both outputs as messages without frames of their own, and closes in order', async () => {
    await create('prints', { Cmd: ['print', 'out', 'err', '0'] });
    const { heard } = await attach('prints');
    await start('prints');
    const { text, ...rest } = await heard;
    expect(['outerr', 'errout']).toContain(text);
    expect(rest).toEqual({ binary: true, code: 1000 });
  });

  it('as text for clients of API versions below 1.28', async () => {
    await create('old', { Cmd: ['print', 'out', '', '0'] });
    const { heard } = await attach('old', { version: '1.27' });
    await start('old');
    expect(await heard).toEqual({ text: 'out', binary: false, code: 1000 });
  });

  it.each([
    ['1.41', ['outerr', 'errout']],
    ['1.42', ['err']],
  ])('in version %s, asked for stderr alone: %j', async (version, wanted) => {
    await create('some', { Cmd: ['print', 'out', 'err', '0'] });
    const { heard } = await attach('some', { version, query: 'stream=1&stderr=1' });
    await start('some');
    expect(wanted).toContain((await heard).text);
  });

  it('brings what the client sends to stdin, and closes that with the connection', async () => {
    await create('cat', { Cmd: ['cat'], OpenStdin: true, StdinOnce: true });
    const waiting = fake.api.post('/containers/cat/wait');
    const { client } = await attach('cat');
    await start('cat');
    const echoed = once(client, 'message');
    client.send('typed');
    expect(String((await echoed)[0])).toBe('typed');
    client.close();
    expect((await waiting).status).toBe(200);
  });

  it('begins with the log where asked to', async () => {
    await create('logged', { Cmd: ['print', 'before', '', '0'] });
    await start('logged');
    // Not before the start: what has never run is not running either.
    await fake.api.post('/containers/logged/wait');
    const { heard } = await attach('logged', { query: 'logs=1' });
    expect(await heard).toEqual({ text: 'before', binary: true, code: 1000 });
  });

  it('refuses a message without end', async () => {
    await create('much', { Cmd: ['cat'], OpenStdin: true });
    const { client, heard } = await attach('much');
    await start('much');
    client.send(Buffer.alloc(5 << 20));
    expect((await heard).code).toBe(1009);
  });
});

describe('what is no WebSocket', () => {
  it.each([
    { what: 'an unknown container', name: 'nope', headers: SHAKE, status: 404 },
    { what: 'a plain request', headers: {}, status: 400 },
    { what: 'another version', headers: { ...SHAKE, 'Sec-WebSocket-Version': '7' }, status: 400 },
    { what: 'no key', headers: { ...SHAKE, 'Sec-WebSocket-Key': '' }, status: 400 },
    { what: 'a web page', headers: { ...SHAKE, Origin: 'http://evil.example' }, status: 403 },
  ])('$what is refused', async ({ name = 'here', headers, status }) => {
    await create('here', { Cmd: ['hold'] });
    const connection = await fake.api.open('GET', `/containers/${name}/attach/ws`, { headers });
    const answer = await connection.readResponse();
    connection.close();
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body.toString())).toHaveProperty('message');
  });

  it('a client that says the daemon itself is its origin is none of a web page', async () => {
    await create('own', { Cmd: ['print', 'out', '', '0'] });
    const { heard } = await attach('own', { origin: 'http://localhost' });
    await start('own');
    expect((await heard).text).toBe('out');
  });
});
