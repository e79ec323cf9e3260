import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDeferred, type Deferred } from '../lib/deferred.ts';
import { createDockerServer, type DockerApp } from './docker-server.ts';
import { HIJACK_ROUTES } from './hijack-routes.ts';
import { routes } from './routes.ts';

let directory = '';
let socketPath = '';
let app: Deferred<DockerApp>;
let close: () => void;

/** Says what it was asked, and takes a hijacked connection over by echoing it. */
const echo: DockerApp = {
  onRequest: (asked, response) => response.end(`app ${asked.method ?? ''} ${asked.url ?? ''}`),
  onHijack: (_asked, socket, head) => {
    socket.write(`taken ${head.toString()}`);
    socket.pipe(socket);
  },
};

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function ask(method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    asked.once('error', reject).end();
  });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-door-'));
  socketPath = join(directory, 's');
  app = createDeferred();
  const server = createDockerServer({ app: app.promise, answersPings: true, hijackRoutes: HIJACK_ROUTES });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  close = () => {
    server.close();
    server.closeAllConnections();
  };
});

afterEach(async () => {
  close();
  await rm(directory, { recursive: true });
});

test('the routes known from the first connection on are those of the route table', () => {
  const hijacking = routes.filter(({ hijack }) => hijack === true);
  const keys = hijacking.map(({ method, path }) => ({ method, path }));
  expect(keys).toEqual(expect.arrayContaining([...HIJACK_ROUTES]));
  expect(keys).toHaveLength(HIJACK_ROUTES.length);
});

test('a ping is answered before there is an app', async () => {
  expect(await ask('GET', '/_ping')).toMatchObject({ status: 200, body: 'OK', headers: { ostype: 'linux' } });
  expect(await ask('GET', '/v1.41/_ping')).toMatchObject({ status: 200, body: 'OK' });
  const head = await ask('HEAD', '/_ping');
  expect(head).toMatchObject({ status: 200, body: '', headers: { swarm: 'inactive' } });
  expect(head.headers['api-version']).toMatch(/^1\.\d+$/);
});

test.each([
  { what: 'another path', method: 'GET', path: '/version', headers: {} },
  { what: 'a ping of an unknown version', method: 'GET', path: '/v9.41/_ping', headers: {} },
  { what: 'a ping of a web page', method: 'GET', path: '/_ping', headers: { Origin: 'http://example.test' } },
  { what: 'another method', method: 'POST', path: '/_ping', headers: {} },
])('$what waits for the app', async ({ method, path, headers }) => {
  const answer = ask(method, path, headers);
  await ask('GET', '/_ping');
  app.resolve(echo);
  expect((await answer).body).toBe(`app ${method} ${path}`);
});

test('with the app there, it answers pings too', async () => {
  app.resolve(echo);
  await app.promise;
  expect((await ask('GET', '/_ping')).body).toBe('app GET /_ping');
});

test('a connection to be taken over waits with all its bytes', async () => {
  const socket = connect(socketPath);
  socket.write('POST /containers/x/attach HTTP/1.1\r\nHost: d\r\n\r\nfirst words');
  await ask('GET', '/_ping');
  app.resolve(echo);
  const bytes = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  expect(bytes.toString()).toContain('taken first words');
  socket.destroy();
});

test('who waits for an app that never comes is cut off', async () => {
  const answer = ask('GET', '/version');
  await ask('GET', '/_ping');
  app.reject(new Error('no containerd'));
  await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
});
