import type { ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  ATTEMPTS,
  basicHeader,
  credentials,
  describeBlob,
  openRepository,
  serveScript,
} from '../../test/support/scripted-server.ts';

const content = Buffer.alloc(300_000, 'content of a layer ');

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

afterEach(() => {
  vi.useRealTimers();
});

describe('blobs', () => {
  test('stream whole, also when the transfer breaks off twice', async () => {
    let requests = 0;
    const ranges: (string | undefined)[] = [];
    const server = await serveScript((request, response) => {
      requests += 1;
      ranges.push(request.headers.range);
      const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (start > 0) response.writeHead(206, { 'content-range': `bytes ${start}-${content.length - 1}/*` });
      if (requests > 2) response.end(content.subarray(start));
      else response.write(content.subarray(start, start + 100_000), () => response.destroy());
    });
    expect(describeBlob(await collect(openRepository(server.host).fetchBlob(describeBlob(content))))).toEqual(
      describeBlob(content),
    );
    expect(ranges[0]).toBeUndefined();
    expect(ranges).toHaveLength(3);
    expect(ranges[2]).toMatch(/^bytes=\d+-299999$/);
  });

  test('are taken up again from a registry that knows no ranges', async () => {
    let requests = 0;
    const server = await serveScript((_request, response) => {
      requests += 1;
      if (requests > 1) response.end(content);
      else response.write(content.subarray(0, 100_000), () => response.destroy());
    });
    expect(describeBlob(await collect(openRepository(server.host).fetchBlob(describeBlob(content))))).toEqual(
      describeBlob(content),
    );
  });

  test('can begin in the middle', async () => {
    const server = await serveScript((_request, response) => {
      response.end(content);
    });
    expect(
      describeBlob(
        await collect(openRepository(server.host).fetchUnverified(describeBlob(content), 200_000)),
      ),
    ).toEqual(describeBlob(content.subarray(200_000)));
  });

  test('that trickle are broken off, and taken up where they were', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const asked: { readonly range: string | undefined; readonly response: ServerResponse }[] = [];
    const server = await serveScript(({ headers: { range } }, response) => {
      asked.push({ range, response });
      if (asked.length === 1) return void response.write(content.subarray(0, 1000));
      response.writeHead(206, { 'content-range': `bytes 1000-${content.length - 1}/*` });
      response.end(content.subarray(1000));
    });
    const blob = openRepository(server.host).fetchBlob(describeBlob(content));
    const reading = blob[Symbol.asyncIterator]();
    const first = await reading.next();
    expect(first.value).toHaveLength(1000);
    const next = reading.next();
    await turn();
    vi.advanceTimersByTime(60_000);
    asked[0]?.response.write(content.subarray(1000, 2000));
    await next;
    expect(asked.map(({ range }) => range)).toEqual([undefined, 'bytes=1000-299999']);
  });

  test.each([
    ['other bytes', Buffer.alloc(content.length), 'content does not match its digest'],
    ['more bytes', Buffer.concat([content, content]), 'is longer than the 300000 bytes'],
    ['fewer bytes', content.subarray(0, 1000), 'unexpected EOF'],
  ])('with %s are refused', async (_what, bytes, message) => {
    const server = await serveScript((_request, response) => {
      response.end(bytes);
    });
    await expect(collect(openRepository(server.host).fetchBlob(describeBlob(content)))).rejects.toThrow(
      message,
    );
    expect(server.seen.length).toBeLessThanOrEqual(2 * ATTEMPTS);
  });

  test('answered with another range than asked for are refused', async () => {
    const server = await serveScript((_request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-99/300000' });
      response.end(content.subarray(0, 100));
    });
    await expect(
      collect(openRepository(server.host).fetchUnverified(describeBlob(content), 1000)),
    ).rejects.toThrow('another range');
  });

  test('stop when the client leaves', async () => {
    const controller = new AbortController();
    const server = await serveScript((_request, response) => {
      response.write(content.subarray(0, 1000));
    });
    const blob = openRepository(server.host, { signal: controller.signal }).fetchBlob(describeBlob(content));
    await expect(
      (async () => {
        for await (const chunk of blob) if (chunk.length > 0) controller.abort();
      })(),
    ).rejects.toMatchObject({ kind: 'Cancelled' });
  });
});

describe('redirects', () => {
  test('to another host carry no credentials', async () => {
    const storage = await serveScript((_request, response) => {
      response.end(content);
    });
    const server = await serveScript((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' });
      } else {
        response.writeHead(307, { location: `http://evil:word@${storage.host}/blob?signature=1` });
      }
      response.end();
    });
    const repository = openRepository(server.host, { credentials });
    expect(describeBlob(await collect(repository.fetchBlob(describeBlob(content))))).toEqual(
      describeBlob(content),
    );
    expect(server.seen.map(({ authorization }) => authorization)).toEqual([undefined, basicHeader]);
    expect(storage.seen).toEqual([{ method: 'GET', url: '/blob?signature=1', authorization: undefined }]);
  });

  test('that come back to the first host carry none either', async () => {
    const server = await serveScript((request, response) => {
      if (request.url === '/back') response.end(content);
      else if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' });
        response.end();
      } else {
        response.writeHead(302, { location: `http://${detour.host}/` });
        response.end();
      }
    });
    const detour = await serveScript((_request, response) => {
      response.writeHead(302, { location: `http://${server.host}/back` });
      response.end();
    });
    await collect(openRepository(server.host, { credentials }).fetchBlob(describeBlob(content)));
    expect(server.seen.at(-1)).toEqual({ method: 'GET', url: '/back', authorization: undefined });
  });

  test.each(['/again', 'file:///etc/passwd', 'gopher://x/', 'http://['])('to %s end', async (location) => {
    const server = await serveScript((_request, response) => {
      response.writeHead(302, { location });
      response.end();
    });
    await expect(collect(openRepository(server.host).fetchBlob(describeBlob(content)))).rejects.toMatchObject(
      {
        kind: 'Unavailable',
      },
    );
    expect(server.seen.length).toBeLessThanOrEqual(6);
  });
});
