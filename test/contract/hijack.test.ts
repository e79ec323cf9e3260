import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RouteContext, RouteDefinition } from '../../src/api/http/route.ts';
import { EngineError } from '../../src/errors.ts';
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

let created = 0;

const ROUTES: readonly RouteDefinition[] = [
  { method: 'POST', path: '/containers/:id/attach', body: 'none', hijack: true, handle: echo },
  { method: 'POST', path: '/exec/:id/start', body: 'json', hijack: true, handle: echo },
  {
    method: 'POST',
    path: '/containers/create',
    body: 'json',
    handle: async (context) => {
      created += 1;
      context.json(201, {});
    },
  },
  {
    method: 'POST',
    path: '/refuse',
    body: 'none',
    hijack: true,
    handle: () => Promise.reject(new EngineError('NotFound', 'No such container: x')),
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

describe.each([
  ['with an Upgrade header', UPGRADE, 101],
  ['without one', {}, 200],
])('a connection taken over %s', (_name, headers, status) => {
  it('answers, and then carries bytes both ways until the output ends', async () => {
    const connection = await openRaw(app.socketPath);
    connection.send(attach({ ...headers, 'Content-Type': 'text/plain', 'Content-Length': '0' }));
    const head = await connection.readHead();
    expect([head.status, head.reason]).toEqual([status, status === 101 ? 'UPGRADED' : 'OK']);
    expect(head.headers.get('content-type')).toBe(RAW);
    expect(head.headers.get('upgrade')).toBe(status === 101 ? 'tcp' : undefined);
    expect(head.headers.get('connection')).toBe(status === 101 ? 'Upgrade' : undefined);
    expect(head.headers.has('transfer-encoding')).toBe(false);
    expect(head.headers.get('api-version')).toBe('1.51');
    connection.send('ping');
    expect((await connection.readBytes(4)).toString()).toBe('ping');
    connection.end();
    expect((await connection.readToEnd()).toString()).toBe('|bye ');
    connection.close();
  });

  it('takes input that comes with the request, whatever it looks like', async () => {
    const before = created;
    const stdin = formatRequest({
      method: 'POST',
      path: '/containers/create',
      headers: JSON_TYPE,
      body: '{}',
    });
    const connection = await openRaw(app.socketPath);
    connection.send(Buffer.concat([attach(headers), stdin]));
    connection.send(stdin);
    connection.end();
    await connection.readHead();
    expect((await connection.readToEnd()).toString()).toBe(`${stdin.toString().repeat(2)}|bye `);
    expect(created).toBe(before);
    connection.close();
  });

  it.each([
    ['in one packet', (request: Buffer) => [request]],
    ['in a packet of its own', (request: Buffer) => [request.subarray(0, -7), request.subarray(-7)]],
    [
      'in pieces',
      (request: Buffer) => [request.subarray(0, -5), request.subarray(-5, -3), request.subarray(-3)],
    ],
  ])('reads a JSON body that comes %s, and nothing beyond it', async (_pieces, split) => {
    const request = formatRequest({
      method: 'POST',
      path: '/exec/x/start',
      headers: { ...headers, ...JSON_TYPE },
      body: '{"a":1}',
    });
    const connection = await openRaw(app.socketPath);
    const pieces = split(request);
    for (const piece of pieces.slice(0, -1)) {
      connection.send(piece);
      // An answer to another connection proves that this piece has been read by itself.
      await rawHttp(app.socketPath, attach({}, '/refuse'));
    }
    connection.send(Buffer.concat([pieces.at(-1) ?? Buffer.alloc(0), Buffer.from('stdin')]));
    connection.end();
    expect((await connection.readHead()).status).toBe(status);
    expect((await connection.readToEnd()).toString()).toBe('stdin|bye {"a":1}');
    connection.close();
  });

  it('drops a body where the route has none: it is no input', async () => {
    const body = '{"stream":true,"hijack":true}';
    const request = formatRequest({ method: 'POST', path: '/containers/x/attach', headers, body });
    const connection = await openRaw(app.socketPath);
    connection.send(Buffer.concat([request, Buffer.from('stdin')]));
    connection.end();
    await connection.readHead();
    expect((await connection.readToEnd()).toString()).toBe('stdin|bye ');
    connection.close();
  });

  it('answers an error as on any other route, though input is already there', async () => {
    const connection = await openRaw(app.socketPath);
    connection.send(Buffer.concat([attach(headers, '/refuse'), Buffer.from('input nobody reads')]));
    const response = await connection.readResponse();
    expect(response.status).toBe(404);
    expect(JSON.parse(response.body.toString())).toEqual({ message: 'No such container: x' });
    expect(response.headers.get('connection')).toBe('close');
    expect((await connection.readToEnd()).length).toBe(0);
    connection.close();
  });

  it('lets a client that is still sending go on, and read its answer whole', async () => {
    const socket = connect({ path: app.socketPath, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    const ended = once(socket, 'end');
    const sent = once(socket, 'finish');
    socket.write(attach(headers, '/refuse'));
    socket.end(LARGE);
    await Promise.all([sent, ended]);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 404 [^]*No such container: x"}\n$/);
  });

  it('carries 16 MiB there and back unharmed', async () => {
    const socket = connect({ path: app.socketPath, allowHalfOpen: true });
    socket.write(attach(headers));
    socket.end(LARGE);
    const hash = createHash('sha256');
    let head = Buffer.alloc(0);
    let isHeadRead = false;
    let size = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      let data = chunk;
      if (!isHeadRead) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) continue;
        isHeadRead = true;
        data = head.subarray(end + 4);
      }
      hash.update(data);
      size += data.length;
    }
    expect(size).toBe(LARGE.length + 5);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(LARGE).update('|bye ').digest('hex'));
  });

  it('works on a connection that has served other requests', async () => {
    const connection = await openRaw(app.socketPath);
    connection.send(formatRequest({ method: 'GET', path: '/nope' }));
    expect((await connection.readResponse()).status).toBe(404);
    connection.send(attach(headers));
    connection.end();
    expect((await connection.readHead()).status).toBe(status);
    expect((await connection.readToEnd()).toString()).toBe('|bye ');
    connection.close();
  });
});
