import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../src/api/routes.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { formatRequest, openRaw, rawHttp } from '../support/raw-http.ts';
import { createRandom, damage, fields, pick, type Random, SEED_SHIFT } from '../support/seeded-random.ts';

// The other half of the walk: queries, paths, bodies of what makes no process, and bytes that are no HTTP. No status of
// 500, no hang, no crash, and the daemon answers as before at the end.

const ROUNDS = 300;
let fake: FakeJob;

beforeAll(async () => {
  fake = await startFakeJob();
  await fake.api.post('/containers/create?name=runs', { Image: 'app' });
  await fake.api.post('/containers/runs/start');
});
afterAll(async () => {
  expect((await fake.api.get('/_ping')).status).toBe(200);
  await fake.close();
  expect(fake.failures).toEqual([]);
});

function namesOf(file: string): Readonly<Record<string, readonly string[]>> {
  const path = resolve(import.meta.dirname, '../support', file);
  return JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, readonly string[]>>;
}

const FIELDS = namesOf('api-fields.json');
const QUERIES = namesOf('api-queries.json');

const TEXTS: readonly string[] = [
  '', '0', '1', '-1', 'true', 'x', 'app', 'app:latest', 'runs', '1e9', '99999999999999999999', '../..', '/etc/passwd',
  '::', 'a@b', 'app@sha256:x', `sha256:${'a'.repeat(64)}`, 'SIGKILL', 'KILL+1', '{"a":', '{"label":["x"]}', '[]', 'null',
  '{"__proto__":["x"]}', '["x",{"y":1}]', '{"os":"linux","architecture":"amd64"}', '\u0000', '\n', 'ü', '%', '%zz', ' ',
  'http://169.254.169.254/', 'linux/amd64', 'CMD ["x"]', 'ENV A', 'ctrl-p,ctrl-q', '-ef', '-o pid=PID', 'y'.repeat(3000),
]; // prettier-ignore

async function expectOrderly(bytes: Buffer, what: string): Promise<void> {
  const method = what.split(' ')[0] ?? '';
  const { status } = await rawHttp(fake.app.socketPath, bytes, { method, timeoutMs: 20_000 });
  expect(status, what).not.toBe(500);
  expect(status, what).toBeGreaterThanOrEqual(200);
  expect(status, what).toBeLessThan(504);
}

function queryOf(random: Random, names: readonly string[]): string {
  const parts = Array.from({ length: random(4) }, () => {
    const text = pick(random, TEXTS);
    return `${pick(random, names)}=${random(6) === 0 ? text.replaceAll(/[^\u0021-\u007e]/g, '') : encodeURIComponent(text)}`;
  });
  return parts.join(pick(random, ['&', '&', '&', ';', '&&']));
}

/** Streams without an end, and what would end the container that the walk is about. */
const LEFT_OUT =
  /\/(?:events|logs|stats|attach|attach\/ws|wait|stop|restart|kill|pause|rename)$|^DELETE \/containers|^POST \/(?:containers|images)\/prune$|^DELETE \/images/;

describe('the same random requests every time', { timeout: 120_000 }, () => {
  it('queries of every endpoint', async () => {
    const random = createRandom(1 + SEED_SHIFT);
    const endpoints = Object.entries(QUERIES).filter(([name]) => !LEFT_OUT.test(name));
    for (let round = 0; round < ROUNDS * 2; round += 1) {
      const [name, parameters] = pick(random, endpoints);
      const [method = '', path = ''] = name.split(' ');
      const at = path.replace('{name}', 'app').replace('{id}', pick(random, ['runs', 'none', 'app']));
      const target = `${at}?${queryOf(random, parameters)}`;
      await expectOrderly(
        formatRequest({ method, path: target.replaceAll(/[^\u0021-\u007e]/g, '') }),
        `${method} ${target}`,
      );
    }
  });

  it('queries of a build, with a context that is none', async () => {
    const random = createRandom(2 + SEED_SHIFT);
    const parameters = QUERIES['POST /build'] ?? [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const path = `/build?${queryOf(random, parameters)}`.replaceAll(/[^\u0021-\u007e]/g, '');
      const body = Buffer.alloc(random(1024), random(256));
      const headers = { 'Content-Type': 'application/x-tar' };
      await expectOrderly(formatRequest({ method: 'POST', path, headers, body }), `POST ${path}`);
    }
  });

  it.each<[string, string, string]>([
    ['update', '/containers/runs/update', ''],
    ['exec', '/containers/runs/exec', '"Cmd":["x"],'],
    ['volume create', '/volumes/create', ''],
    ['network connect', '/networks/bridge/connect', '"Container":"runs",'],
    ['network disconnect', '/networks/none/disconnect', '"Container":"runs",'],
    ['network create', '/networks/create', '"Driver":"none-such",'],
    ['commit', '/commit?container=runs', ''],
    ['login', '/auth', '"serveraddress":"http://x.invalid:1",'],
  ])('bodies of %s', async (kind, ...[path, besides]) => {
    const random = createRandom(kind.length + SEED_SHIFT);
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const some = fields(random, [...(FIELDS[kind] ?? []), '__proto__', 'constructor'], 3);
      const inner = JSON.stringify(some);
      const text = damage(random, `{${besides}${inner.slice(1)}`);
      const headers = { 'Content-Type': 'application/json' };
      await expectOrderly(
        formatRequest({ method: 'POST', path, headers, body: text }),
        `POST ${path} ${text.slice(0, 300)}`,
      );
    }
  });

  it('paths', async () => {
    const random = createRandom(3 + SEED_SHIFT);
    const pieces = [
      'v1.41', 'v1.24', 'v9.9', 'containers', 'images', 'networks', 'volumes', 'exec', 'json', 'create', 'runs', 'app', '..',
      '.', '', '%2e%2e', '%2f', '%00', '%', '%zz', ';x', 'a b', '*', '__proto__', 'x'.repeat(2000), '%ff%fe', '%u0041',
    ]; // prettier-ignore
    const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'];
    for (let round = 0; round < ROUNDS * 2; round += 1) {
      const path = `${pick(random, ['/', '/', '//', ''])}${Array.from({ length: random(6) + 1 }, () => pick(random, pieces)).join('/')}`;
      // These would end what the other requests are about, or follow it.
      const method = pick(random, methods);
      if (method === 'DELETE') continue;
      const bytes = Buffer.from(
        `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
        'latin1',
      );
      await expectOrderly(bytes, `${method} ${path}`);
    }
  });

  it('names of containers, images, volumes and networks', async () => {
    const random = createRandom(4 + SEED_SHIFT);
    const reads = routes.filter(
      ({ method, path }) => method === 'GET' && path.includes(':') && !LEFT_OUT.test(path),
    );
    for (let round = 0; round < ROUNDS * 2; round += 1) {
      const { path } = pick(random, reads);
      const at = path.replaceAll(/:\w+\*?/g, () => encodeURIComponent(pick(random, TEXTS)) || 'x');
      await expectOrderly(formatRequest({ method: 'GET', path: at }), `GET ${at}`);
    }
  });

  it('bytes that are hardly HTTP', async () => {
    const random = createRandom(5 + SEED_SHIFT);
    const heads = [
      'POST /containers/create HTTP/1.1', 'GET /_ping HTTP/1.1', 'GET /_ping HTTP/1.0', 'POST /containers/runs/attach HTTP/1.1',
      'POST /exec/x/start HTTP/1.1', 'POST /grpc HTTP/1.1', 'POST /session HTTP/1.1', 'PRI * HTTP/2.0', '\u0000\u0001\u0002', 'GET',
    ]; // prettier-ignore
    const lines = [
      'Host: x', 'Content-Length: 5', 'Content-Length: -1', 'Content-Length: 99999999999999999999', 'Transfer-Encoding: chunked',
      'Transfer-Encoding: gzip, chunked', 'Connection: Upgrade', 'Upgrade: tcp', 'Upgrade: h2c', 'Upgrade: websocket',
      'Expect: 100-continue', 'Content-Type: application/json', ': no name', 'no colon', 'X: \u0000', `X: ${'y'.repeat(9000)}`,
      'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 13', 'HTTP2-Settings: AAAA', ' folded', 'Content-Encoding: br',
    ]; // prettier-ignore
    const tails = [
      '',
      '{}',
      'hello',
      '5\r\nhello\r\n0\r\n\r\n',
      'zz\r\n',
      '\u0000'.repeat(64),
      '{"Image":"app"}',
      'ffffffffffffffff\r\n',
    ];
    for (let round = 0; round < ROUNDS; round += 1) {
      const some = Array.from({ length: random(6) }, () => pick(random, lines));
      const end = pick(random, ['\r\n', '\r\n', '\n']);
      const bytes = Buffer.from([pick(random, heads), ...some, '', pick(random, tails)].join(end), 'latin1');
      const connection = await openRaw(fake.app.socketPath);
      connection.send(bytes.subarray(0, bytes.length - random(4)));
      connection.close();
    }
    // Whatever became of those, the next one is served.
    expect((await fake.api.get('/containers/runs/json')).status).toBe(200);
  });
});
