import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RouteDefinition } from '../../src/api/http/route.ts';
import { createDeferred } from '../../src/lib/deferred.ts';
import { startContractApp, type ContractApp } from '../support/contract-app.ts';
import { formatRequest, openRaw, rawHttp, type RawConnection } from '../support/raw-http.ts';

// What a client sends before it has read the answer to its last request.

vi.setConfig({ testTimeout: 30_000 });

const patience = { timeout: 20_000 };
const begun: string[] = [];
let held = createDeferred<undefined>();

const ROUTES: readonly RouteDefinition[] = [
  {
    method: 'GET',
    path: '/say/:word',
    body: 'none',
    handle: async (context) => {
      begun.push(context.param('word'));
      if (context.param('word') === 'held') await held.promise;
      context.text(200, context.param('word'));
    },
  },
  {
    method: 'GET',
    path: '/stream',
    body: 'none',
    handle: async (context) => {
      begun.push('stream');
      context.openStream('text/plain');
      await once(context.signal, 'abort');
      begun.push('left');
    },
  },
];

let app: ContractApp;
let connection: RawConnection;

beforeAll(async () => {
  app = await startContractApp(ROUTES);
});

afterAll(async () => {
  await app.close();
});

beforeEach(async () => {
  begun.length = 0;
  held = createDeferred();
  connection = await openRaw(app.socketPath);
  return () => {
    connection.close();
  };
});

const ask = (path: string): Buffer => formatRequest({ method: 'GET', path });
const askFor = (words: readonly string[]): Buffer => Buffer.concat(words.map((word) => ask(`/say/${word}`)));

async function isServing(): Promise<boolean> {
  return (await rawHttp(app.socketPath, ask('/say/other'))).body.toString() === 'other';
}

describe('requests sent ahead', () => {
  it('are answered in their order, however many', async () => {
    const words = Array.from({ length: 100 }, (_, index) => `w${String(index)}`);
    connection.send(askFor(words));
    const answers: string[] = [];
    while (answers.length < words.length)
      answers.push((await connection.readResponse('GET')).body.toString());
    expect(answers).toEqual(words);
  });

  it('are not begun before the one ahead of them is answered', async () => {
    connection.send(askFor(['held', 'second', 'third']));
    await expect.poll(() => begun, patience).toEqual(['held']);
    expect(await isServing()).toBe(true);
    expect(begun).toEqual(['held', 'other']);
    held.resolve(undefined);
    for (const word of ['held', 'second', 'third'])
      expect((await connection.readResponse('GET')).body.toString()).toBe(word);
    expect(begun).toEqual(['held', 'other', 'second', 'third']);
  });

  it('are dropped with their client', async () => {
    connection.send(Buffer.concat([ask('/stream'), askFor(['never'])]));
    await expect.poll(() => begun, patience).toEqual(['stream']);
    connection.close();
    await expect.poll(() => begun, patience).toEqual(['stream', 'left']);
    expect(await isServing()).toBe(true);
    expect(begun).not.toContain('never');
  });

  it('cost the connection where too many wait, and nobody else anything', async () => {
    connection.send(Buffer.concat([ask('/stream'), askFor(Array.from({ length: 20_000 }, () => 'never'))]));
    await connection.readToEnd();
    await expect.poll(() => begun, patience).toEqual(['stream', 'left']);
    const next = await openRaw(app.socketPath);
    next.send(askFor(['first', 'second']));
    for (const word of ['first', 'second'])
      expect((await next.readResponse('GET')).body.toString()).toBe(word);
    next.close();
  });
});
