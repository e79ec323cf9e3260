import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { answerManifest, manifestBytes } from '../../test/support/scripted-server.ts';
import { createRegistry } from './create-registry.ts';

test('a registry without TLS gets a handshake from the first pull, and again once it has failed', async () => {
  let handshakes = 0;
  let failure = 0;
  const server = createServer((_request, response) => {
    if (failure > 0) response.writeHead(failure).end();
    else answerManifest(response, manifestBytes);
  });
  server.on('clientError', (_error, socket) => {
    handshakes += 1;
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry = createRegistry({ registriesDir: undefined, insecureRegistries: [] });
  onTestFinished(async () => {
    registry.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const domain = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pull = (): Promise<unknown> =>
    registry
      .open({
        reference: { domain, path: 'app' },
        familiarName: 'app',
        signal: new AbortController().signal,
      })
      .resolve('v1');
  await pull();
  await pull();
  expect(handshakes).toBe(1);
  failure = 404;
  await expect(pull()).rejects.toMatchObject({ kind: 'NotFound' });
  expect(handshakes).toBe(1);
  failure = 400;
  await expect(pull()).rejects.toThrow();
  failure = 0;
  await pull();
  expect(handshakes).toBeGreaterThan(1);
});
