import { afterEach, describe, expect, it } from 'vitest';
import { sendJsonStream } from '../../src/api/http/json-stream.ts';
import { EngineError } from '../../src/errors.ts';
import { createDeferred } from '../../src/lib/deferred.ts';
import { startContractApp, type ContractApp } from '../support/contract-app.ts';
import { formatRequest, openRaw, rawHttp, type RawResponse } from '../support/raw-http.ts';

let app: ContractApp;

afterEach(async () => {
  await app.close();
});

async function start(values: () => AsyncIterable<unknown>): Promise<void> {
  app = await startContractApp([
    {
      method: 'POST',
      path: '/images/create',
      body: 'none',
      handle: (context) => sendJsonStream(context, values()),
    },
  ]);
}

const REQUEST = formatRequest({ method: 'POST', path: '/images/create' });

async function linesOf(response: RawResponse): Promise<readonly unknown[]> {
  const lines = response.body.toString().split('\r\n').slice(0, -1);
  return lines.map((line): unknown => JSON.parse(line));
}

describe('a stream of JSON documents', () => {
  it('sends each one on a line as it comes', async () => {
    const second = createDeferred<undefined>();
    await start(async function* () {
      yield { status: 'one' };
      await second.promise;
      yield { status: 'two' };
    });
    const connection = await openRaw(app.socketPath);
    connection.send(REQUEST);
    expect((await connection.readHead()).headers.get('content-type')).toBe('application/json');
    await connection.readUntil('{"status":"one"}\r\n');
    second.resolve(undefined);
    await connection.readUntil('{"status":"two"}\r\n');
    connection.close();
  });

  it('turns an error before the first one into a status', async () => {
    // eslint-disable-next-line require-yield
    await start(async function* () {
      throw new EngineError('NotFound', 'manifest unknown');
    });
    const response = await rawHttp(app.socketPath, REQUEST);
    expect(response.status).toBe(404);
    expect(JSON.parse(response.body.toString())).toEqual({ message: 'manifest unknown' });
  });

  it('turns a later error into a line at which clients fail', async () => {
    await start(async function* () {
      yield { status: 'one' };
      throw new EngineError('Internal', 'disk full in /var/lib/berth/blobs/x');
    });
    const response = await rawHttp(app.socketPath, REQUEST);
    expect(response.status).toBe(200);
    const message = 'disk full in (host path)';
    expect(await linesOf(response)).toEqual([
      { status: 'one' },
      { errorDetail: { message }, error: message },
    ]);
  });

  it('says nothing of an error that is not ours', async () => {
    await start(async function* () {
      yield { status: 'one' };
      throw new Error('ENOENT: /root/secret');
    });
    expect((await rawHttp(app.socketPath, REQUEST)).body.toString()).not.toContain('secret');
    expect(app.logged.map(({ level }) => level)).toContain('error');
  });

  it('ends its source when the client leaves', async () => {
    const ended = createDeferred<undefined>();
    await start(async function* () {
      try {
        for (;;) yield { status: 'again' };
      } finally {
        ended.resolve(undefined);
      }
    });
    const connection = await openRaw(app.socketPath);
    connection.send(REQUEST);
    await connection.readUntil('again');
    connection.close();
    await ended.promise;
  });
});
