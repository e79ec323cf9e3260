import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RouteDefinition } from '../../src/api/http/route.ts';
import { EngineError } from '../../src/errors.ts';
import { createDeferred } from '../../src/lib/deferred.ts';
import { startContractApp, type ContractApp } from '../support/contract-app.ts';
import { formatRequest, rawHttp, type RawResponse } from '../support/raw-http.ts';

// When the headers of an answer leave whose body is a stream.

let ready = createDeferred<undefined>();

function streaming(path: string, sent: 'at once' | 'with data'): RouteDefinition {
  return {
    method: 'GET',
    path,
    body: 'none',
    handle: async (context) => {
      const writer = context.openStream('text/plain', undefined, sent);
      await ready.promise;
      await writer.write(Buffer.from('the data'));
      await writer.end();
    },
  };
}

let app: ContractApp;

beforeAll(async () => {
  app = await startContractApp([streaming('/at-once', 'at once'), streaming('/with-data', 'with data')]);
});
afterAll(() => app.close());
beforeEach(() => {
  ready = createDeferred();
});

const ask = (path: string): Promise<RawResponse> =>
  rawHttp(app.socketPath, formatRequest({ method: 'GET', path }));

/** What a client has got of an answer by the time when another one has got all of its own. */
async function heardMeanwhile(path: string): Promise<string> {
  const socket = connect(app.socketPath);
  const heard: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => heard.push(bytes));
  socket.write(formatRequest({ method: 'GET', path }));
  await ask('/nothing');
  await ask('/nothing');
  socket.destroy();
  ready.resolve(undefined);
  return Buffer.concat(heard).toString();
}

it('at once: before there is anything to send', async () => {
  expect(await heardMeanwhile('/at-once')).toMatch(/^HTTP\/1.1 200 OK[^]*\r\n\r\n$/);
});

it('with data: not before the first bytes', async () => {
  expect(await heardMeanwhile('/with-data')).toBe('');
  const { status, body } = await ask('/with-data');
  expect([status, body.toString()]).toEqual([200, 'the data']);
});

it('with data: what fails before there is any is an answer of its own', async () => {
  ready.reject(new EngineError('NotFound', 'no data'));
  const { status, body } = await ask('/with-data');
  expect([status, body.toString()]).toEqual([404, '{"message":"no data"}\n']);
});
