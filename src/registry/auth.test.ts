import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import {
  answerManifest,
  basicHeader,
  credentials,
  manifestBytes,
  openRepository,
  serveScript,
} from '../../test/support/scripted-server.ts';

describe('tokens', () => {
  function withToken(
    realm: (host: string) => string,
  ): (request: IncomingMessage, response: ServerResponse) => void {
    return (request, response) => {
      const host = request.headers.host ?? '';
      if (request.url?.startsWith('/token') === true) response.end(JSON.stringify({ token: 'the-token' }));
      else if (request.headers.authorization === 'Bearer the-token') answerManifest(response, manifestBytes);
      else {
        response.writeHead(401, {
          'www-authenticate': `Bearer realm="${realm(host)}",service="reg, istry",scope="repository:*:push"`,
        });
        response.end();
      }
    };
  }

  test('are fetched anonymously, for pulling this repository alone', async () => {
    const server = await serveScript(withToken((host) => `http://${host}/token`));
    await openRepository(server.host).resolve('v1');
    expect(server.seen[1]).toEqual({
      method: 'GET',
      url: '/token?service=reg%2C+istry&scope=repository%3Ateam%2Fapp%3Apull',
      authorization: undefined,
    });
  });

  test('are fetched with credentials, once for all requests', async () => {
    const server = await serveScript(withToken((host) => `http://${host}/token`));
    const repository = openRepository(server.host, { credentials });
    await repository.resolve('v1');
    await repository.fetchManifest('v1');
    expect(server.seen.map(({ authorization }) => authorization)).toEqual([
      undefined,
      basicHeader,
      'Bearer the-token',
      'Bearer the-token',
    ]);
  });

  test('are fetched with a refresh token by POST, not in an address', async () => {
    const bodies: string[] = [];
    const answer = withToken((host) => `http://${host}/token`);
    const server = await serveScript((request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
      answer(request, response);
    });
    await openRepository(server.host, { credentials: { ...credentials, identityToken: 'refresh' } }).resolve(
      'v1',
    );
    expect(server.seen[1]).toEqual({ method: 'POST', url: '/token', authorization: undefined });
    expect(new URLSearchParams(bodies.join('')).get('refresh_token')).toBe('refresh');
  });

  test('are not fetched where the client brought one', async () => {
    const server = await serveScript(withToken((host) => `http://${host}/token`));
    await openRepository(server.host, {
      credentials: { ...credentials, registryToken: 'the-token' },
    }).resolve('v1');
    expect(server.seen.map(({ authorization }) => authorization)).toEqual([undefined, 'Bearer the-token']);
  });

  test.each([
    ['another host in plain http', 'http://192.0.2.1/token'],
    ['a file', 'file:///etc/shadow'],
    ['an address with a user', 'http://a:b@127.0.0.1/token'],
    ['nothing', ''],
  ])('are not asked of %s', async (_what, realm) => {
    const server = await serveScript(withToken(() => realm));
    await expect(openRepository(server.host, { credentials }).resolve('v1')).rejects.toMatchObject({
      kind: 'PermissionDenied',
      message: `refused the token server of ${server.host}: it is neither https nor the same host`,
    });
    expect(server.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  test.each(['', '{}', '[]', '"x"', 'null', '{"token":"a\\r\\nx: y"}', '{"token":1}'])(
    'that are none (%j) are refused',
    async (body) => {
      const server = await serveScript((request, response) => {
        if (request.url?.startsWith('/token') === true) response.end(body);
        else {
          response.writeHead(401, {
            'www-authenticate': `Bearer realm="http://${request.headers.host}/token"`,
          });
          response.end();
        }
      });
      await expect(openRepository(server.host).resolve('v1')).rejects.toMatchObject({ kind: 'Unavailable' });
    },
  );

  test('that do not help are not asked for again and again', async () => {
    const server = await serveScript((request, response) => {
      if (request.url?.startsWith('/token') === true) response.end('{"token":"useless"}');
      else {
        response.writeHead(401, {
          'www-authenticate': `Bearer realm="http://${request.headers.host}/token",error="insufficient_scope"`,
        });
        response.end();
      }
    });
    await expect(openRepository(server.host).fetchManifest('v1')).rejects.toMatchObject({
      kind: 'NotFound',
      message: `pull access denied for ${server.host}/team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
    });
    expect(server.seen).toHaveLength(3);
  });

  test('a registry that wants a password gets none where the client has none', async () => {
    const server = await serveScript((_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' });
      response.end();
    });
    await expect(openRepository(server.host).fetchManifest('v1')).rejects.toMatchObject({
      kind: 'Unauthenticated',
      message: 'no basic auth credentials',
    });
  });
});
