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
  { method: 'POST', path: '/containers/:id/attach', body: 'none', hijack: true, handle: answer },
  { method: 'POST', path: '/exec/:id/start', body: 'json', hijack: true, handle: answer },
  {
    method: 'POST',
    path: '/containers/create',
    body: 'json',
    handle: async (context) => {
      reached.push('create');
      context.json(201, { body: Buffer.from(context.body).toString() });
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

function send(request: RawRequest): Promise<RawResponse> {
  return rawHttp(app.socketPath, formatRequest(request));
}

function messageOf(response: RawResponse): unknown {
  const parsed: unknown = JSON.parse(response.body.toString());
  return typeof parsed === 'object' && parsed !== null && 'message' in parsed ? parsed.message : undefined;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('JSON bodies', () => {
  function create(headers: Readonly<Record<string, string>>, body: string | Buffer): Promise<RawResponse> {
    return send({ method: 'POST', path: '/containers/create', headers, body });
  }

  it.each([['application/json'], ['application/json; charset=utf-8'], ['APPLICATION/JSON']])(
    'takes %s',
    async (type) => {
      expect((await create({ 'Content-Type': type }, '{}')).status).toBe(201);
    },
  );

  it.each([['text/plain'], ['application/vnd.x+json'], ['application/x-www-form-urlencoded'], ['']])(
    'refuses the type "%s" in the words of dockerd',
    async (type) => {
      const response = await create({ 'Content-Type': type }, '{}');
      expect(response.status).toBe(400);
      expect(messageOf(response)).toBe(
        `unsupported Content-Type header (${type}): must be 'application/json'`,
      );
    },
  );

  it('lets a body without a type pass for nothing', async () => {
    reached.length = 0;
    expect((await create({}, '{}')).status).toBe(400);
    expect(reached).toEqual([]);
  });

  it('takes an empty body of any type', async () => {
    const response = await create({ 'Content-Type': 'text/plain' }, '');
    expect(JSON.parse(response.body.toString())).toEqual({ body: '' });
  });

  it.each(['gzip', 'br', 'deflate'])('refuses Content-Encoding %s with 415', async (encoding) => {
    expect((await create({ ...JSON_TYPE, 'Content-Encoding': encoding }, '{}')).status).toBe(415);
  });

  it('refuses a declared length over 4 MiB before reading it', async () => {
    const head = 'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n';
    const response = await rawHttp(app.socketPath, `${head}Content-Length: 4194305\r\n\r\n{`);
    expect(response.status).toBe(413);
  });

  it('refuses chunks over 4 MiB', async () => {
    const head = 'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n';
    const mebibyte = `100000\r\n${' '.repeat(1 << 20)}\r\n`;
    const bytes = `${head}Transfer-Encoding: chunked\r\n\r\n${mebibyte.repeat(4)}1\r\n \r\n`;
    expect((await rawHttp(app.socketPath, bytes)).status).toBe(413);
  });

  it('takes chunks', async () => {
    const head = 'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n';
    const bytes = `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n`;
    expect((await rawHttp(app.socketPath, bytes)).status).toBe(201);
  });

  it('answers Expect: 100-continue before the body comes', async () => {
    const connection = await openRaw(app.socketPath);
    connection.send(
      'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n',
    );
    expect((await connection.readResponse()).status).toBe(100);
    connection.send('{}');
    expect((await connection.readResponse()).status).toBe(201);
    connection.close();
  });

  it('is read in the same way with an Upgrade header', async () => {
    const headers = { ...JSON_TYPE, Connection: 'Upgrade', Upgrade: 'tcp' };
    const response = await create(headers, '{"a":1}');
    expect(response.status).toBe(201);
    expect(JSON.parse(response.body.toString())).toEqual({ body: '{"a":1}' });
  });

  it('is not skipped by an Upgrade header: the checks of the edge stand', async () => {
    reached.length = 0;
    const upgrade = { Connection: 'Upgrade', Upgrade: 'tcp' };
    expect((await create({ ...upgrade, 'Content-Type': 'text/plain' }, '{}')).status).toBe(400);
    expect((await create({ ...upgrade, ...JSON_TYPE, Origin: 'http://evil.test' }, '{}')).status).toBe(403);
    const hijack = { method: 'POST', path: '/containers/x/attach', headers: { ...upgrade, Origin: 'null' } };
    expect((await send(hijack)).status).toBe(403);
    expect((await send({ ...hijack, path: '/v1.99/containers/x/attach', headers: upgrade })).status).toBe(
      400,
    );
    expect((await send({ ...hijack, path: '/containers//x/attach', headers: upgrade })).status).toBe(301);
    expect(reached).toEqual([]);
  });

  it.each(['/containers/create', '/exec/x/start'])(
    'is no failure of ours on %s when the client leaves in the middle of it',
    async (path) => {
      const before = app.logged.length;
      const connection = await openRaw(app.socketPath);
      connection.send(
        formatRequest({ method: 'POST', path, headers: { ...JSON_TYPE, 'Content-Length': '9' }, body: '{' }),
      );
      connection.end();
      connection.close();
      await expect.poll(() => app.logged.length).toBeGreaterThan(before);
      expect(app.logged.slice(before).map(({ level }) => level)).not.toContain('error');
    },
  );
});
