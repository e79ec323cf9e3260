import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RouteDefinition } from '../../src/api/http/route.ts';
import { EngineError } from '../../src/errors.ts';
import { startContractApp, type ContractApp } from '../support/contract-app.ts';

// A client that ends its half of the connection right after its request, as a pipe into nc does.

let app: ContractApp;
let left: string[];

const routes: readonly RouteDefinition[] = [
  {
    method: 'GET',
    path: '/slow',
    body: 'none',
    async handle(context) {
      await sleep(50);
      context.json(200, { slow: true });
    },
  },
  {
    method: 'GET',
    path: '/slow-error',
    body: 'none',
    async handle() {
      await sleep(50);
      throw new EngineError('NotFound', 'no such thing');
    },
  },
  {
    method: 'GET',
    path: '/waits',
    body: 'none',
    async handle(context) {
      context.openStream('text/plain');
      await new Promise((resolve) => {
        context.signal.addEventListener('abort', resolve);
      });
      left.push('waits');
    },
  },
];

beforeEach(async () => {
  left = [];
  app = await startContractApp(routes, {});
});
afterEach(() => app.close());

/** All that the server answers to bytes that are followed by the end of the client's half. */
function sendAndEnd(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: app.socketPath, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('end', () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString());
    });
    socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  });
}

describe('a client that ends its half', () => {
  test('gets the answer all the same', async () => {
    expect(await sendAndEnd('/slow')).toMatch(/^HTTP\/1\.1 200 OK[^]*\{"slow":true\}/);
  });

  test('gets an error all the same', async () => {
    expect(await sendAndEnd('/slow-error')).toMatch(/^HTTP\/1\.1 404 [^]*no such thing/);
  });

  test('is taken for gone by a handler that waits, and its connection ends', async () => {
    await sendAndEnd('/waits');
    expect(left).toEqual(['waits']);
  });
});
