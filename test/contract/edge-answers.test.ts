import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RouteDefinition } from '../../src/api/http/route.ts';
import { EngineError, type ErrorKind } from '../../src/errors.ts';
import { startContractApp, type ContractApp } from '../support/contract-app.ts';
import { formatRequest, rawHttp, type RawRequest, type RawResponse } from '../support/raw-http.ts';

const FAILURES: Readonly<Record<string, Error>> = {
  ...Object.fromEntries(
    (
      [
        'InvalidArgument',
        'Unauthenticated',
        'PermissionDenied',
        'NotFound',
        'Conflict',
        'NotModified',
        'NotImplemented',
        'Unavailable',
        'Internal',
      ] as const satisfies readonly ErrorKind[]
    ).map((kind) => [kind, new EngineError(kind, `words of ${kind}`)]),
  ),
  path: new EngineError('Internal', 'cannot open "/var/lib/berth/jobs/j/x": no such file'),
  foreign: new Error('ENOENT: no such file, open /root/secret'),
};

const ROUTES: readonly RouteDefinition[] = [
  { method: 'GET', path: '/containers/json', body: 'none', handle: async (c) => c.json(200, []) },
  {
    method: 'GET',
    path: '/fail/:id',
    body: 'none',
    handle: (context) => Promise.reject(FAILURES[context.param('id')] ?? new Error('unknown failure')),
  },
  {
    method: 'GET',
    path: '/broken-stream',
    body: 'none',
    handle: async (context) => {
      const writer = context.openStream('text/plain');
      await writer.write(Buffer.from('first'));
      throw new EngineError('Internal', 'too late for a status');
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

function get(path: string): Promise<RawResponse> {
  return send({ method: 'GET', path });
}

function messageOf(response: RawResponse): unknown {
  const parsed: unknown = JSON.parse(response.body.toString());
  return typeof parsed === 'object' && parsed !== null && 'message' in parsed ? parsed.message : undefined;
}

describe('answers', () => {
  it.each(['/containers/json', '/nope', '/v1.99/containers/json', '/fail/Internal'])(
    '%s has the common headers',
    async (path) => {
      const { headers } = await get(path);
      expect(headers.get('api-version')).toBe('1.51');
      expect(headers.get('ostype')).toBe('linux');
      expect(headers.get('docker-experimental')).toBe('false');
      expect(headers.get('server')).toMatch(/^berth\/\d+\.\d+\.\d+ \(linux\)$/);
      expect(headers.get('content-type')).toBe('application/json');
      expect(headers.has('x-powered-by')).toBe(false);
      expect(headers.has('etag')).toBe(false);
    },
  );

  it.each([
    ['InvalidArgument', 400],
    ['Unauthenticated', 401],
    ['PermissionDenied', 403],
    ['NotFound', 404],
    ['Conflict', 409],
    ['NotImplemented', 501],
    ['Unavailable', 503],
    ['Internal', 500],
  ])('%s is %i with its words', async (kind, status) => {
    const response = await get(`/fail/${kind}`);
    expect(response.status).toBe(status);
    expect(messageOf(response)).toBe(`words of ${kind}`);
  });

  it('NotModified is 304 without a body', async () => {
    const response = await get('/fail/NotModified');
    expect(response.status).toBe(304);
    expect(response.headers.has('content-type')).toBe(false);
  });

  it('tells nothing of an error that is not ours, and logs it once', async () => {
    const before = app.logged.filter(({ level }) => level === 'error').length;
    const response = await get('/fail/foreign');
    expect(response.status).toBe(500);
    expect(response.body.toString()).not.toContain('secret');
    expect(app.logged.filter(({ level }) => level === 'error').length).toBe(before + 1);
  });

  it('cuts host paths out of messages', async () => {
    expect(messageOf(await get('/fail/path'))).toBe('cannot open "(host path)": no such file');
  });

  it('cuts the connection when an answer breaks off, so that it cannot pass for a whole one', async () => {
    await expect(get('/broken-stream')).rejects.toThrow('ended after');
  });
});
