import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatRequest, openRaw, rawHttp } from './raw-http.ts';

let directory = '';
let socketPath = '';
const servers: { close(): unknown }[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'raw-'));
  socketPath = join(directory, 's');
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(directory, { recursive: true });
});

async function serve(listener: RequestListener): Promise<Server> {
  const server = createServer(listener).listen(socketPath);
  servers.push(server);
  await once(server, 'listening');
  return server;
}

describe('rawHttp', () => {
  test('reads a body of known length', async () => {
    await serve((_request, response) => response.setHeader('Content-Length', 5).end('hello'));
    const { status, reason, headers, body } = await rawHttp(
      socketPath,
      formatRequest({ method: 'GET', path: '/' }),
    );
    expect([status, reason, headers.get('content-length'), body.toString()]).toEqual([
      200,
      'OK',
      '5',
      'hello',
    ]);
  });

  test('reads a chunked body', async () => {
    await serve((_request, response) => {
      response.write('one ');
      response.end('two');
    });
    const { headers, body } = await rawHttp(socketPath, formatRequest({ method: 'GET', path: '/' }));
    expect([headers.get('transfer-encoding'), body.toString()]).toEqual(['chunked', 'one two']);
  });

  test('reads a body that ends with the connection', async () => {
    await serve((_request, response) => {
      response.useChunkedEncodingByDefault = false;
      response.removeHeader('transfer-encoding');
      response.setHeader('Connection', 'close');
      response.end(Buffer.from('to the end'));
    });
    const { body } = await rawHttp(socketPath, 'GET / HTTP/1.0\r\n\r\n');
    expect(body.toString()).toBe('to the end');
  });

  test('expects no body of HEAD and 204', async () => {
    await serve((request, response) => {
      if (request.method === 'HEAD') response.setHeader('Content-Length', 100).end();
      else response.writeHead(204).end();
    });
    for (const [method, status] of [
      ['HEAD', 200],
      ['POST', 204],
    ] as const) {
      const answer = await rawHttp(socketPath, formatRequest({ method, path: '/' }));
      expect([answer.status, answer.body.length]).toEqual([status, 0]);
    }
  });

  test('sends exactly the bytes it is given', async () => {
    const received: string[] = [];
    const server = createNetServer((socket) => {
      socket.on('data', (chunk) => {
        received.push(chunk.toString());
        socket.end('HTTP/1.1 400 Bad Request\r\nX: a\r\nX: b\r\n\r\n');
      });
    }).listen(socketPath);
    servers.push(server);
    await once(server, 'listening');
    const { status, headers } = await rawHttp(socketPath, 'get  /\0 HTTP/9\n\n');
    expect([status, headers.get('x'), received.join('')]).toEqual([400, 'a, b', 'get  /\0 HTTP/9\n\n']);
  });

  test('tells what came where the answer does not end in time', async () => {
    await serve((_request, response) => response.setHeader('Content-Length', 5).write('he'));
    const request = formatRequest({ method: 'GET', path: '/' });
    await expect(rawHttp(socketPath, request, { timeoutMs: 100 })).rejects.toThrow('only "he"');
  });

  test('tells that the connection ended too early', async () => {
    await serve((request) => request.socket.destroy());
    const request = formatRequest({ method: 'GET', path: '/' });
    await expect(rawHttp(socketPath, request)).rejects.toThrow(/ended after|ECONNRESET/);
  });
});

describe('openRaw', () => {
  test('reads two answers on one connection', async () => {
    await serve((request, response) => response.end(request.url));
    const connection = await openRaw(socketPath);
    connection.send(Buffer.concat(['/1', '/2'].map((path) => formatRequest({ method: 'GET', path }))));
    expect((await connection.readResponse()).body.toString()).toBe('/1');
    expect((await connection.readResponse()).body.toString()).toBe('/2');
    connection.close();
  });

  test('goes on reading a hijacked stream after it has ended its own half', async () => {
    const server = await serve(() => {});
    server.on('upgrade', (_request, socket, head) => {
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      const received: Buffer[] = [head];
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      socket.on('end', () => socket.end(`got ${Buffer.concat(received).toString()} and the end`));
    });
    const connection = await openRaw(socketPath);
    const headers = { Connection: 'Upgrade', Upgrade: 'tcp' };
    connection.send(formatRequest({ method: 'POST', path: '/', headers }));
    const head = await connection.readHead();
    expect([head.status, head.reason, head.headers.get('upgrade')]).toEqual([101, 'UPGRADED', 'tcp']);
    connection.send('input');
    connection.end();
    expect((await connection.readBytes(4)).toString()).toBe('got ');
    expect((await connection.readUntil('input')).toString()).toBe('input');
    expect((await connection.readToEnd()).toString()).toBe(' and the end');
    connection.close();
  });
});
