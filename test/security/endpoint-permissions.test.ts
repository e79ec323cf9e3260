import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../src/api/routes.ts';
import type { EndpointPermissions } from '../../src/policy/endpoint-permissions.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { formatRequest, rawHttp } from '../support/raw-http.ts';

// The operator's switches at every door: a closed endpoint is refused before its request is read or anything is looked up.

const jobs: FakeJob[] = [];
afterAll(async () => {
  for (const job of jobs) await job.close();
});

let proxy: FakeJob;
let open: FakeJob;
let reader: FakeJob;

async function jobWith(api: EndpointPermissions): Promise<FakeJob> {
  const job = await startFakeJob();
  jobs.push(job);
  job.setPermissions(api);
  return job;
}

beforeAll(async () => {
  proxy = await jobWith({ profile: 'socket-proxy', given: {} });
  open = await jobWith({ profile: 'socket-proxy', given: { post: true, containers: true } });
  reader = await jobWith({ profile: 'job', given: { post: false } });
});

/** A path that the route takes. */
function example(path: string): string {
  return path.replaceAll(/:\w+\*?/g, 'x');
}

interface Refusal {
  readonly status: number;
  readonly message: string;
}

async function ask(job: FakeJob, line: string, headers: object = {}): Promise<Refusal> {
  const [method = '', path = ''] = line.split(' ');
  const bytes = formatRequest({ method, path, headers: { ...headers }, body: method === 'GET' ? '' : '{}' });
  const response = await rawHttp(job.app.socketPath, bytes);
  const text = response.body.toString();
  const isJson = text.startsWith('{') && 'message' in (JSON.parse(text) as object);
  return { status: response.status, message: isJson ? (JSON.parse(text) as Refusal).message : '' };
}

it('every route is in the group that its first word names', () => {
  const words = new Map([['_ping', 'ping']]);
  for (const { path, group } of routes.filter((route) => route.method !== 'OPTIONS')) {
    const word = path.split('/')[1] ?? '';
    expect(group, path).toBe(words.get(word) ?? word);
  }
});

it("docker-socket-proxy's defaults close everything but events, ping and version, in JSON that names the switch", async () => {
  const left: string[] = [];
  for (const { method, path, group } of routes) {
    if (path === '/events') continue;
    const { status, message } = await ask(proxy, `${method} ${example(path)}`);
    if (status === 403 && method !== 'HEAD') {
      const name = method === 'GET' ? group.toUpperCase() : 'POST';
      expect(message, `${method} ${path}`).toContain(`is closed by ${name} (profile "socket-proxy")`);
    } else if (status !== 403) left.push(`${method} ${path}`);
  }
  expect(left).toEqual(['GET /_ping', 'HEAD /_ping', 'GET /version']);
});

it('without POST nothing can be changed', async () => {
  for (const { method, path } of routes.filter(
    (route) => route.method !== 'GET' && route.method !== 'HEAD',
  )) {
    expect(await ask(reader, `${method} ${example(path)}`), `${method} ${path}`).toMatchObject({
      status: 403,
      message: expect.stringContaining('is closed by POST (profile "job")') as string,
    });
  }
  expect((await ask(reader, 'GET /containers/json')).status).toBe(200);
});

describe('kill, exec and delete are switches of their own', () => {
  it.each([
    ['POST', '/containers/x/kill', 'KILL or ALLOW_RESTARTS'],
    ['POST', '/v1.41/containers/x/kill?signal=9', 'KILL or ALLOW_RESTARTS'],
    ['DELETE', '/containers/x?force=1', 'DELETE'],
    ['POST', '/containers/x/exec', 'EXEC or CONTAINERS'],
    ['POST', '/exec/x/start', 'EXEC'],
    ['GET', '/exec/x/json', 'EXEC'],
  ])('%s %s', async (method, path, name) => {
    expect(await ask(open, `${method} ${path}`, { 'Content-Type': 'application/json' })).toMatchObject({
      status: 403,
      message: expect.stringContaining(`is closed by ${name} (`) as string,
    });
  });
});

describe('an endpoint is known by its route, not by how its path looks', () => {
  it.each([
    ['GET', '/containersX', 404],
    ['GET', '/infoX', 404],
    ['GET', '/version/../containers/json', 301],
    ['GET', '/_ping/containers/json', 404],
    ['GET', '/Containers/json', 404],
    ['GET', '/v1.41/containers%2Fjson', 404],
    ['GET', '/%63ontainers/json', 404],
    ['POST', '/version', 404],
    ['GET', '/v1.41/info', 403],
    ['GET', '/images/_ping/json', 403],
    ['GET', '/containers/version/json', 403],
  ])('%s %s is %i', async (method, path, status) => {
    expect((await ask(proxy, `${method} ${path}`)).status).toBe(status);
  });
});

it.each([
  ['an upgrade', { Connection: 'Upgrade', Upgrade: 'tcp' }],
  ['h2c', { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c' }],
  ['no header', {}],
])('a connection to be taken over is refused too (%s)', async (_, headers) => {
  for (const path of ['/containers/x/attach', '/exec/x/start', '/session', '/grpc'])
    expect((await ask(proxy, `POST ${path}`, headers)).status, path).toBe(403);
});

it('a body that is too large, or never comes, changes nothing of that', async () => {
  const head = formatRequest({
    method: 'POST',
    path: '/images/load',
    headers: { 'Content-Type': 'application/x-tar', 'Content-Length': '99999999' },
  });
  expect((await rawHttp(proxy.app.socketPath, head)).status).toBe(403);
});

it('a closed endpoint is not told from an open one by what exists', async () => {
  const { body } = await open.api.post('/containers/create', { Image: 'app' });
  const { Id: id } = body as { readonly Id: string };
  const [known, unknown] = [
    await ask(open, `DELETE /containers/${id}`),
    await ask(open, 'DELETE /containers/x'),
  ];
  expect(known).toEqual(unknown);
});
