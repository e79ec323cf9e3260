import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished, expect, test } from 'vitest';
import {
  basicHeader,
  credentials,
  serveScript,
  type ScriptedServer,
} from '../../test/support/scripted-server.ts';
import { createRegistry } from './create-registry.ts';
import type { PushBlob, PushRepository } from './types.ts';

const bytes = Buffer.alloc(3 * 1024 * 1024, 7);
const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function open(host: string, mountFrom: readonly string[] = []): PushRepository {
  const registry = createRegistry(
    { registriesDir: undefined, insecureRegistries: [], network: { kind: 'isolated' } },
    { attempts: 3, firstDelayMs: 1, maxDelayMs: 2 },
  );
  onTestFinished(() => registry.close());
  return registry.openForPush({
    reference: { domain: host, path: 'team/app' },
    familiarName: `${host}/team/app`,
    credentials,
    mountFrom,
    signal: new AbortController().signal,
  });
}

function blob(mountFrom?: string): PushBlob {
  return {
    mediaType: '',
    digest,
    size: bytes.length,
    mountFrom,
    async *open() {
      for (let at = 0; at < bytes.length; at += 65_536)
        yield await Promise.resolve(bytes.subarray(at, at + 65_536));
    },
  };
}

async function receive(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function begin(response: ServerResponse, location: string): void {
  response.writeHead(202, { location }).end();
}

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status).end(JSON.stringify({ errors: [{ code, message: `about ${code}` }] }));
}

const shown = ({ seen }: ScriptedServer): readonly string[] =>
  seen.map(({ method, url }) => `${method} ${url}`);

test('a blob is sent whole to where the registry says, and begun again when that breaks', async () => {
  let tries = 0;
  const received: Buffer[] = [];
  const server = await serveScript((request, response) => {
    void (async () => {
      if (request.method === 'POST') begin(response, '/v2/team/app/blobs/uploads/one?state=x');
      else if (request.method === 'PUT') {
        tries += 1;
        if (tries === 1) request.socket.destroy();
        else {
          received.push(await receive(request));
          response.writeHead(201).end();
        }
      } else response.end();
    })();
  });
  expect(await open(server.host).pushBlob(blob())).toBe('uploaded');
  expect(received.map((one) => one.equals(bytes))).toEqual([true]);
  const put = `PUT /v2/team/app/blobs/uploads/one?state=x&digest=${encodeURIComponent(digest)}`;
  expect(shown(server)).toEqual([
    'GET /v2/',
    'POST /v2/team/app/blobs/uploads/',
    put,
    'POST /v2/team/app/blobs/uploads/',
    put,
  ]);
});

test('an answer before the end of the upload counts, and not that the rest was not read', async () => {
  const server = await serveScript((request, response) => {
    if (request.method === 'POST') begin(response, '/v2/team/app/blobs/uploads/one');
    else if (request.method === 'PUT') fail(response, 403, 'DENIED');
    else response.end();
  });
  await expect(open(server.host).pushBlob(blob())).rejects.toMatchObject({
    kind: 'PermissionDenied',
    message: 'denied: about DENIED',
  });
});

test('a token is asked for all repositories at once, and anew when it has run out', async () => {
  let tokens = 0;
  const server = await serveScript((request, response) => {
    const url = new URL(request.url ?? '', 'http://registry');
    if (url.pathname === '/token') {
      tokens += 1;
      response.end(JSON.stringify({ token: `t${tokens}` }));
    } else if (request.headers.authorization === 'Bearer t2') response.writeHead(201).end();
    else if (request.headers.authorization === 'Bearer t1' && url.pathname === '/v2/') response.end();
    else
      response
        .writeHead(401, { 'www-authenticate': `Bearer realm="http://${server.host}/token",service="s"` })
        .end();
  });
  expect(await open(server.host, ['other/app']).pushBlob(blob('other/app'))).toBe('mounted');
  const asked = server.seen.filter(({ url }) => url.startsWith('/token'));
  expect(asked).toHaveLength(2);
  const { searchParams } = new URL(asked[0]?.url ?? '', 'http://registry');
  expect(searchParams.getAll('scope')).toEqual([
    'repository:team/app:pull,push',
    'repository:other/app:pull',
  ]);
  expect(asked[0]?.authorization).toBe(basicHeader);
  expect(server.seen.at(-1)?.url).toBe(
    `/v2/team/app/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=other%2Fapp`,
  );
});

test.each([
  ['another host in the clear', 'http://127.0.0.2:1/upload'],
  ['a file', 'file:///etc/passwd'],
  ['a host with a password', 'https://user:word@host.example/upload'],
])('an upload to %s is refused', async (_, location) => {
  const server = await serveScript((request, response) => {
    if (request.method === 'POST') begin(response, location);
    else response.end();
  });
  await expect(open(server.host).pushBlob(blob())).rejects.toThrow(
    'sent the upload to no place that is allowed',
  );
});

test('an upload to another port of the host gets no credentials', async () => {
  const store = await serveScript((request, response) => {
    void receive(request).then(() => response.writeHead(201).end());
  });
  const server = await serveScript((request, response) => {
    if (request.headers.authorization === undefined)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    else if (request.method === 'POST') begin(response, `http://${store.host}/upload`);
    else response.end();
  });
  await open(server.host).pushBlob(blob());
  expect(store.seen).toMatchObject([{ method: 'PUT', authorization: undefined }]);
});

test.each([
  { status: 401, code: 'UNAUTHORIZED', kind: 'Unauthenticated', words: 'unauthorized' },
  { status: 403, code: 'DENIED', kind: 'PermissionDenied', words: 'denied' },
  { status: 400, code: 'MANIFEST_INVALID', kind: 'InvalidArgument', words: 'manifest invalid' },
  { status: 500, code: 'UNKNOWN', kind: 'Unavailable', words: 'unknown' },
])('status $status for a manifest is told in its own words', async ({ status, code, kind, words }) => {
  const server = await serveScript((request, response) => {
    if (request.method === 'PUT') {
      if (status === 401) response.setHeader('www-authenticate', 'Basic realm="r"');
      void receive(request).then(() => fail(response, status, code));
    } else response.end();
  });
  const manifest = { mediaType: 'type', digest, size: 2, bytes: Buffer.from('{}') };
  await expect(open(server.host).pushManifest('v1', manifest)).rejects.toMatchObject({
    kind,
    message: `${words}: about ${code}`,
  });
});
