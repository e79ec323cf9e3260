import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HijackedConnection, RouteDefinition, RouteContext } from '../../src/api/http/route.ts';
import { stdcopyHeader } from '../../src/api/http/stdcopy.ts';
import { EngineError } from '../../src/errors.ts';
import { createDeferred } from '../../src/lib/deferred.ts';
import { startContractApp, type ContractApp } from '../support/contract-app.ts';
import { formatRequest, openRaw, rawHttp } from '../support/raw-http.ts';

const RAW = 'application/vnd.docker.raw-stream';
const UPGRADE = { Connection: 'Upgrade', Upgrade: 'tcp' };
const JSON_TYPE = { 'Content-Type': 'application/json' };
const LARGE = randomBytes(16 * 1024 * 1024);

/** Sends back what comes, and a last word once the client has ended its half. */
async function echo(context: RouteContext): Promise<void> {
  const connection = context.hijack(RAW);
  for await (const data of connection.input as AsyncIterable<Buffer>) await connection.write(data);
  await connection.write(Buffer.from(`|bye ${Buffer.from(context.body).toString()}`));
  await connection.end();
}

let taken = createDeferred<{ connection: HijackedConnection; context: RouteContext }>();

const ROUTES: readonly RouteDefinition[] = [
  { method: 'POST', path: '/containers/:id/attach', body: 'none', hijack: true, handle: echo },
  { method: 'POST', path: '/exec/:id/start', body: 'json', hijack: true, handle: echo },
  {
    method: 'POST',
    path: '/hold',
    body: 'none',
    hijack: true,
    handle: async (context) => {
      taken.resolve({ connection: context.hijack(RAW), context });
    },
  },
  {
    method: 'POST',
    path: '/refuse',
    body: 'none',
    hijack: true,
    handle: () => Promise.reject(new EngineError('NotFound', 'No such container: x')),
  },
  {
    method: 'POST',
    path: '/break',
    body: 'none',
    hijack: true,
    handle: async (context) => {
      await context.hijack(RAW).write(Buffer.from('some'));
      throw new EngineError('Internal', 'broke later');
    },
  },
  {
    method: 'GET',
    path: '/slow',
    body: 'none',
    handle: async (context) => {
      context.openStream('text/plain');
      await once(context.signal, 'abort');
    },
  },
];

let app: ContractApp;

beforeAll(async () => {
  app = await startContractApp(ROUTES);
});

afterAll(async () => {
  await app.close();
});

function attach(headers: Readonly<Record<string, string>>, path = '/containers/x/attach'): Buffer {
  return formatRequest({ method: 'POST', path, headers });
}

async function hold(): Promise<{ connection: HijackedConnection; context: RouteContext }> {
  const held = await taken.promise;
  taken = createDeferred();
  return held;
}

describe('a connection taken over', () => {
  it('holds the writer back until the client reads', async () => {
    const socket = connect(app.socketPath);
    socket.pause();
    socket.write(attach(UPGRADE, '/hold'));
    const { connection } = await hold();
    let isTaken = false;
    const written = connection.write(LARGE).then(() => {
      isTaken = true;
    });
    await rawHttp(app.socketPath, attach({}, '/refuse'));
    expect(isTaken).toBe(false);
    socket.resume();
    await written;
    await connection.end();
    socket.destroy();
  });

  it('holds the client back until somebody reads', async () => {
    const socket = connect(app.socketPath);
    socket.write(attach(UPGRADE, '/hold'));
    const { connection } = await hold();
    socket.write(LARGE);
    await rawHttp(app.socketPath, attach({}, '/refuse'));
    expect(socket.writableLength).toBeGreaterThan(LARGE.length / 2);
    let size = 0;
    for await (const data of connection.input as AsyncIterable<Buffer>) {
      size += data.length;
      if (size === LARGE.length) break;
    }
    expect(size).toBe(LARGE.length);
    await connection.end();
    socket.destroy();
  });

  it('sends the parts of one write one after the other', async () => {
    const raw = await openRaw(app.socketPath);
    raw.send(attach(UPGRADE, '/hold'));
    const { connection } = await hold();
    await raw.readHead();
    await connection.write(stdcopyHeader('stderr', 3), Buffer.from('abc'));
    expect((await raw.readBytes(11)).toString('latin1')).toBe('\x02\0\0\0\0\0\0\x03abc');
    await connection.end();
    raw.close();
  });

  it('is not left by a half-close, and is left by the close after it', async () => {
    const raw = await openRaw(app.socketPath);
    raw.send(attach(UPGRADE, '/hold'));
    const { connection, context } = await hold();
    const inputEnd = once(connection.input, 'end');
    connection.input.resume();
    raw.end();
    await inputEnd;
    expect(context.signal.aborted).toBe(false);
    await connection.write(Buffer.from('still here'));
    raw.close();
    await once(context.signal, 'abort');
    await expect(connection.write(Buffer.from('x'))).rejects.toMatchObject({ kind: 'Cancelled' });
    await connection.end();
  });

  it('is left by a close, though nobody reads its input', async () => {
    const raw = await openRaw(app.socketPath);
    raw.send(Buffer.concat([attach(UPGRADE, '/hold'), Buffer.from('unread')]));
    const { context } = await hold();
    await raw.readHead();
    raw.close();
    await once(context.signal, 'abort');
  });

  it('is cut when its handler fails', async () => {
    const raw = await openRaw(app.socketPath);
    raw.send(attach(UPGRADE, '/break'));
    await raw.readHead();
    expect((await raw.readToEnd()).toString()).toBe('some');
    raw.close();
    expect(app.logged.at(-1)).toEqual({ level: 'error', message: 'request failed' });
  });

  it('takes the end of an empty chunked body for what it is', async () => {
    const raw = await openRaw(app.socketPath);
    raw.send(
      Buffer.concat([attach({ ...UPGRADE, 'Transfer-Encoding': 'chunked' }), Buffer.from('0\r\n\r\nstdin')]),
    );
    raw.end();
    await raw.readHead();
    expect((await raw.readToEnd()).toString()).toBe('stdin|bye ');
    raw.close();
  });

  const CHUNKED = { ...UPGRADE, ...JSON_TYPE, 'Transfer-Encoding': 'chunked' };

  it.each([
    ['at once', ['4\r\n{"a"\r\n1\r\n:\r\n2\r\n1}\r\n0\r\n\r\nstdin']],
    ['byte by byte', Array.from('A\r\n{"a":1}   \r\n0\r\n\r\nstdin')],
  ])('takes a JSON body in chunks, and what follows for input: %s', async (_, parts) => {
    const raw = await openRaw(app.socketPath);
    raw.send(attach(CHUNKED, '/exec/x/start'));
    for (const part of parts) {
      raw.send(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    raw.end();
    expect((await raw.readHead()).status).toBe(101);
    expect((await raw.readToEnd()).toString()).toMatch(/^stdin\|bye \{"a":1\} *$/);
    raw.close();
  });

  it.each(['0\r\n\r\n', '00000000\r\n\r\n'])('takes an empty body in chunks: %j', async (body) => {
    const raw = await openRaw(app.socketPath);
    raw.send(Buffer.concat([attach(CHUNKED, '/exec/x/start'), Buffer.from(`${body}stdin`)]));
    raw.end();
    await raw.readHead();
    expect((await raw.readToEnd()).toString()).toBe('stdin|bye ');
    raw.close();
  });

  it.each([
    'x\r\n',
    '-1\r\n',
    '2\n{}\n0\n\n',
    '2;a=b\r\n{}\r\n0\r\n\r\n',
    '2\r\n{}x\r\n0\r\n\r\n',
    '2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n',
    '000000000000000002\r\n{}\r\n0\r\n\r\n',
    '\r\n',
  ])('refuses what is no chunk: %j', async (body) => {
    const bytes = Buffer.concat([attach(CHUNKED, '/exec/x/start'), Buffer.from(body)]);
    const { status, body: answer } = await rawHttp(app.socketPath, bytes);
    expect([status, answer.toString()]).toEqual([400, expect.stringContaining('malformed chunked encoding')]);
  });

  it('refuses a body in chunks that ends too early, is too large, or is encoded twice', async () => {
    const ask = (text: string, headers: object = CHUNKED): ReturnType<typeof rawHttp> =>
      rawHttp(
        app.socketPath,
        Buffer.concat([attach({ ...CHUNKED, ...headers }, '/exec/x/start'), Buffer.from(text)]),
      );
    const raw = await openRaw(app.socketPath);
    raw.send(Buffer.concat([attach(CHUNKED, '/exec/x/start'), Buffer.from('4\r\n{}')]));
    raw.end();
    expect((await raw.readHead()).status).toBe(400);
    raw.close();
    const mebibyte = `100000\r\n${' '.repeat(1024 * 1024)}\r\n`;
    expect((await ask(`${mebibyte.repeat(4)}1\r\n \r\n`)).status).toBe(413);
    expect((await ask('2\r\n{}\r\n0\r\n\r\n', { 'Transfer-Encoding': 'gzip, chunked' })).status).toBe(400);
  });

  it('refuses a declared JSON body over 4 MiB', async () => {
    const headers = { ...UPGRADE, ...JSON_TYPE, 'Content-Length': '4194305' };
    expect((await rawHttp(app.socketPath, attach(headers, '/exec/x/start'))).status).toBe(413);
  });

  it('answers Expect: 100-continue', async () => {
    const raw = await openRaw(app.socketPath);
    const headers = { ...UPGRADE, ...JSON_TYPE, 'Content-Length': '2', Expect: '100-continue' };
    raw.send(attach(headers, '/exec/x/start'));
    expect((await raw.readHead()).status).toBe(100);
    raw.send('{}');
    raw.end();
    expect((await raw.readHead()).status).toBe(101);
    expect((await raw.readToEnd()).toString()).toBe('|bye {}');
    raw.close();
  });

  it('is never one with an answer still to come: that connection is cut', async () => {
    const raw = await openRaw(app.socketPath);
    raw.send(formatRequest({ method: 'GET', path: '/slow' }));
    await raw.readHead();
    raw.send(attach(UPGRADE));
    expect((await raw.readToEnd()).toString()).not.toContain('101');
    raw.close();
  });
});
