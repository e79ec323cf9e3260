import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RouteContext, RouteDefinition } from '../../src/api/http/route.ts';
import { startContractApp, type ContractApp } from '../support/contract-app.ts';
import { formatRequest, openRaw, rawHttp, type RawRequest, type RawResponse } from '../support/raw-http.ts';

const reached: string[] = [];

function answer(context: RouteContext): Promise<void> {
  reached.push(context.param('id'));
  context.json(200, { id: context.param('id'), version: context.apiVersion });
  return Promise.resolve();
}

const ROUTES: readonly RouteDefinition[] = [
  { method: 'GET', path: '/containers/json', body: 'none', handle: async (c) => c.json(200, []) },
  { method: 'GET', path: '/containers/:id/json', body: 'none', handle: answer },
  { method: 'GET', path: '/images/:id*/json', body: 'none', handle: answer },
  { method: 'POST', path: '/containers/:id/attach', body: 'none', hijack: true, handle: answer },
  {
    method: 'POST',
    path: '/containers/create',
    body: 'json',
    handle: async (context) => {
      reached.push('create');
      context.json(201, { body: Buffer.from(context.body).toString() });
    },
  },
  { method: 'GET', path: '/new', minApiVersion: '1.44', body: 'none', handle: async (c) => c.empty(204) },
];

let app: ContractApp;

beforeAll(async () => {
  app = await startContractApp(ROUTES);
});

afterAll(async () => {
  await app.close();
});

function send(request: RawRequest): Promise<RawResponse> {
  return rawHttp(app.socketPath, formatRequest(request));
}

function get(path: string): Promise<RawResponse> {
  return send({ method: 'GET', path });
}

function messageOf(response: RawResponse): unknown {
  const parsed: unknown = JSON.parse(response.body.toString());
  return typeof parsed === 'object' && parsed !== null && 'message' in parsed ? parsed.message : undefined;
}

describe('versions', () => {
  it.each([
    ['/containers/x/json', '1.51'],
    ['/v1.24/containers/x/json', '1.24'],
    ['/v1.41/containers/x/json', '1.41'],
    ['/v1.51/containers/x/json', '1.51'],
  ])('%s is served as %s', async (path, version) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(JSON.parse(response.body.toString())).toEqual({ id: 'x', version });
  });

  it.each([
    ['/v1.52/containers/json', 'client version 1.52 is too new. Maximum supported API version is 1.51'],
    ['/v9.0/containers/json', 'client version 9.0 is too new. Maximum supported API version is 1.51'],
    [
      '/v1.23/containers/json',
      'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    ],
    [
      '/v0.99/containers/json',
      'client version 0.99 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    ],
  ])('%s is 400 in the words of dockerd', async (path, message) => {
    const response = await get(path);
    expect(response.status).toBe(400);
    expect(messageOf(response)).toBe(message);
  });

  it.each([
    '/v1.45/v1.45/containers/json',
    '/v9/containers/json',
    '/v1.45x/containers/json',
    '/very/containers/json',
    '/v1.00000000045/containers/json',
    '/v01.45/containers/json',
    '/V1.45/containers/json',
    '/v1.45.1/containers/json',
    '/v1.45',
    '/v1.45/',
  ])('%s is no version of anything: 404', async (path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(messageOf(response)).toBe('page not found');
  });

  it('hides a route from versions before it', async () => {
    expect((await get('/v1.43/new')).status).toBe(404);
    expect((await get('/v1.44/new')).status).toBe(204);
  });
});

describe('paths and methods', () => {
  it.each([
    ['GET', '/nope'],
    ['GET', '/'],
    ['POST', '/containers/json'],
    ['HEAD', '/containers/json'],
    ['GET', '/containers/json/'],
    ['GET', '/Containers/json'],
    ['GET', '/containers/JSON'],
    ['GET', '/%63ontainers/json'],
    ['GET', '/containers/a/b/json'],
    ['POST', '/containers/create/'],
    ['POST', '/Containers/CREATE'],
    ['GET', '/images/json/'],
  ])('%s %s is 404 page not found', async (method, path) => {
    const response = await send({ method, path });
    expect(response.status).toBe(404);
    if (method !== 'HEAD') expect(messageOf(response)).toBe('page not found');
  });

  it.each([
    ['//containers/json', '/containers/json'],
    ['/containers//json?all=1', '/containers/json?all=1'],
    ['/containers/../containers/json', '/containers/json'],
    ['/v1.41/containers/%2e%2e/version', '/v1.41/version'],
    ['/containers/./create', '/containers/create'],
    ['//evil.test/containers', '/evil.test/containers'],
  ])('%s is redirected to %s', async (path, location) => {
    const response = await get(path);
    expect(response.status).toBe(301);
    expect(response.headers.get('location')).toBe(location);
  });

  it.each([
    ['/containers/a%2Fb/json', 'a/b'],
    ['/containers/__proto__/json', '__proto__'],
    ['/containers/constructor/json', 'constructor'],
    ['/images/localhost:5000/team/app:1/json', 'localhost:5000/team/app:1'],
    ['/images/team%2Fapp/json', 'team/app'],
    ['/images/a/json/json', 'a/json'],
  ])('%s names %s', async (path, id) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(JSON.parse(response.body.toString())).toMatchObject({ id });
  });

  it.each(['PATCH', 'TRACE', 'M-SEARCH', 'PROPFIND'])('%s is 405', async (method) => {
    expect((await send({ method, path: '/containers/json' })).status).toBe(405);
  });

  it('CONNECT is 405 and the connection ends', async () => {
    const connection = await openRaw(app.socketPath);
    connection.send('CONNECT node:80 HTTP/1.1\r\nHost: node\r\n\r\nGET /containers/json HTTP/1.1\r\n\r\n');
    expect((await connection.readResponse()).status).toBe(405);
    expect((await connection.readToEnd()).length).toBe(0);
    connection.close();
  });

  it.each([
    ['an absolute target', 'GET http://node/containers/json HTTP/1.1\r\nHost: node\r\n\r\n'],
    ['a target with a hash', 'GET /containers/json#x HTTP/1.1\r\nHost: node\r\n\r\n'],
    ['a broken escape', 'GET /containers/%zz/json HTTP/1.1\r\nHost: node\r\n\r\n'],
    ['a NUL in a name', 'GET /containers/a%00b/json HTTP/1.1\r\nHost: node\r\n\r\n'],
    ['a lower-case method', 'get /containers/json HTTP/1.1\r\nHost: node\r\n\r\n'],
    ['no Host', 'GET /containers/json HTTP/1.1\r\n\r\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    [
      'two lengths',
      'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
    ],
    [
      'a length and chunks',
      'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'a second transfer coding',
      'POST /containers/create HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    ],
    ['bare line feeds', 'GET /containers/json HTTP/1.1\nHost: d\n\n'],
  ])('refuses %s with 400', async (_name, bytes) => {
    reached.length = 0;
    expect((await rawHttp(app.socketPath, bytes)).status).toBe(400);
    expect(reached).toEqual([]);
  });

  it.each([
    ['Origin', 'http://evil.test'],
    ['Origin', 'null'],
    ['Sec-Fetch-Site', 'cross-site'],
    ['sec-fetch-mode', 'no-cors'],
  ])('refuses a browser (%s: %s) with 403', async (name, value) => {
    const response = await send({ method: 'GET', path: '/containers/json', headers: { [name]: value } });
    expect(response.status).toBe(403);
    expect(response.headers.has('access-control-allow-origin')).toBe(false);
  });
});
