import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  MANIFEST_TYPE,
  answerManifest,
  describeBlob,
  manifestBytes,
  openRepository,
  serveScript,
  type ScriptedServer,
} from '../../test/support/scripted-server.ts';

describe('manifests', () => {
  test('are resolved by HEAD and fetched by GET', async () => {
    const server = await serveScript((_request, response) => answerManifest(response, manifestBytes));
    const repository = openRepository(server.host);
    expect(await repository.resolve('v1')).toEqual({
      ...describeBlob(manifestBytes),
      mediaType: MANIFEST_TYPE,
    });
    expect(Buffer.from((await repository.fetchManifest('v1')).bytes)).toEqual(manifestBytes);
    expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'HEAD /v2/team/app/manifests/v1',
      'GET /v2/team/app/manifests/v1',
    ]);
  });

  test('tell their digest themselves where the registry does not', async () => {
    const server = await serveScript((_request, response) => {
      response.writeHead(200, { 'content-type': MANIFEST_TYPE });
      response.end(manifestBytes);
    });
    expect((await openRepository(server.host).resolve('v1')).digest).toBe(describeBlob(manifestBytes).digest);
  });

  test('that are not what their digest says are refused', async () => {
    const server = await serveScript((_request, response) =>
      answerManifest(response, Buffer.from('another')),
    );
    const repository = openRepository(server.host);
    const wanted = describeBlob(manifestBytes).digest;
    await expect(repository.fetchManifest(wanted)).rejects.toThrow('content does not match its digest');
    await expect(repository.resolve(wanted)).rejects.toThrow('content does not match its digest');
  });

  test('of more than 4 MiB are refused', async () => {
    const server = await serveScript((_request, response) => {
      response.end(Buffer.alloc(5 * 1024 * 1024));
    });
    await expect(openRepository(server.host).fetchManifest('v1')).rejects.toThrow(
      'larger than 4194304 bytes',
    );
  });
});

describe("errors in dockerd's words", () => {
  const failing = (
    status: number,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<ScriptedServer> =>
    serveScript((_request, response) => {
      response.writeHead(status, headers);
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  const errors = (code: string, message: string): object => ({ errors: [{ code, message }] });

  test.each([
    [
      404,
      errors('MANIFEST_UNKNOWN', 'manifest unknown'),
      'NotFound',
      'manifest for HOST/team/app:v1 not found: manifest unknown: manifest unknown',
    ],
    [
      404,
      '404 page not found',
      'NotFound',
      'manifest for HOST/team/app:v1 not found: manifest unknown: manifest unknown',
    ],
    [
      404,
      errors('NAME_UNKNOWN', 'repository name not known to registry'),
      'NotFound',
      'repository HOST/team/app not found: name unknown: repository name not known to registry',
    ],
    [
      403,
      errors('DENIED', 'requested access to the resource is denied'),
      'NotFound',
      "pull access denied for HOST/team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    ],
    [
      429,
      errors('TOOMANYREQUESTS', 'You have reached your pull rate limit.'),
      'Unavailable',
      'toomanyrequests: You have reached your pull rate limit.',
    ],
    [500, 'oops', 'Unavailable', 'unknown: received unexpected HTTP status: 500'],
    [418, 'oops', 'Internal', 'unknown: received unexpected HTTP status: 418'],
    [500, errors('UNKNOWN', 'line\nbreak\u001b[31m'), 'Unavailable', 'unknown: line break [31m'],
  ] as const)('%i', async (...[status, body, kind, message]) => {
    const { host } = await failing(status, body);
    await expect(openRepository(host).resolve('v1')).rejects.toMatchObject({
      kind,
      message: message.replaceAll('HOST', host),
    });
  });

  test('nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise((resolve) => server.close(resolve));
    await expect(openRepository(host).resolve('v1')).rejects.toMatchObject({
      kind: 'Unavailable',
      message: `Head "http://${host}/v2/team/app/manifests/v1": dial tcp ${host}: connect: connection refused`,
    });
  });

  test('a host that is no loopback one is never spoken to in plain http', async () => {
    const server = await serveScript((_request, response) => answerManifest(response, manifestBytes));
    const port = server.host.split(':')[1] ?? '';
    // 127.0.0.1 by another name than those that are trusted to be local.
    await expect(openRepository(`[::ffff:127.0.0.1]:${port}`).resolve('v1')).rejects.toThrow(
      'http: server gave HTTP response to HTTPS client',
    );
    expect(server.seen).toEqual([]);
  });

  test('a failure that may pass is tried again', async () => {
    let failures = 0;
    const server = await serveScript((request, response) => {
      if (request.method === 'GET' && failures < 2) {
        failures += 1;
        response.writeHead(503);
        response.end();
      } else answerManifest(response, manifestBytes);
    });
    expect((await openRepository(server.host).fetchManifest('v1')).digest).toBe(
      describeBlob(manifestBytes).digest,
    );
  });
});
