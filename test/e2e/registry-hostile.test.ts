import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';
import { baseEnvironment, runCommand } from '../support/e2e-process.ts';
import { buildImage, type BuiltImage } from '../support/image-builder.ts';
import { serveMemoryRegistry, type MemoryRegistry } from '../support/memory-registry.ts';

// What a registry does to `docker pull`: either the pull copes, or the client fails with words that say why.

const job = useJob();
const MAX_GROWTH_KB = 150 * 1024;
const pullTimeoutMs = 90_000;

let images = 0;
function newImage(): Promise<BuiltImage> {
  images += 1;
  const content = Buffer.alloc(300_000, `image ${images} `);
  return buildImage({ compression: 'none', layers: [[{ type: 'file', path: 'n', content }]] });
}

interface Evil {
  readonly registry: MemoryRegistry;
  readonly name: string;
  readonly layer: { readonly digest: string; readonly bytes: Buffer };
}

async function serveEvil(): Promise<Evil> {
  const registry = await serveMemoryRegistry();
  const image = await newImage();
  registry.put('evil/app', 'v1', image);
  const layer = image.layers.at(-1);
  if (!layer) throw new Error('the image has no layer');
  return { registry, name: `${registry.host}/evil/app:v1`, layer };
}

type Answer = (request: IncomingMessage, response: ServerResponse, evil: Evil) => void;

/** Answers requests for the image's own layer as told, the first `times` of them. */
function answerLayer(evil: Evil, answer: Answer, times = Number.POSITIVE_INFINITY): void {
  let count = 0;
  evil.registry.intercept((request, response) => {
    if (!(request.url ?? '').includes(evil.layer.digest) || count >= times) return false;
    count += 1;
    answer(request, response, evil);
    return true;
  });
}

async function memoryKb(): Promise<number> {
  const status = await readFile(`/proc/${job.berth.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
}

async function ctr(...args: readonly string[]): Promise<string> {
  const { containerd } = job.berth.ready;
  const all = ['-a', containerd, '-n', 'berth.images', ...args];
  const { code, stdout, stderr } = await runCommand({
    program: 'ctr',
    args: all,
    env: baseEnvironment('/tmp'),
  });
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

/** What a failed pull could leave in containerd. */
async function traces(): Promise<readonly string[]> {
  const lists = [await ctr('leases', 'ls', '-q'), await ctr('snapshots', 'ls')];
  return [...lists, (await ctr('content', 'active')).split('\n').slice(1).join()];
}

async function pull(name: string): Promise<{ readonly code: number; readonly stderr: string }> {
  return job.berth.docker(['pull', name], { timeoutMs: pullTimeoutMs });
}

describe('a pull copes with', () => {
  test.each<readonly [string, number, Answer]>([
    ['answers of 5xx', 2, (_request, response) => response.writeHead(503).end()],
    [
      '429 that says when to come again',
      1,
      (_request, response) => response.writeHead(429, { 'retry-after': '1' }).end(),
    ],
    [
      'a connection that breaks in the middle',
      2,
      (request, response, { layer }) => {
        const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        response.writeHead(start > 0 ? 206 : 200, {
          'content-length': layer.bytes.length - start,
          ...(start > 0
            ? { 'content-range': `bytes ${start}-${layer.bytes.length - 1}/${layer.bytes.length}` }
            : {}),
        });
        response.write(layer.bytes.subarray(start, start + 100_000), () => response.destroy());
      },
    ],
    [
      'a server that breaks off and knows no ranges',
      1,
      (_request, response, { layer }) => {
        response.writeHead(200, { 'content-length': layer.bytes.length });
        response.write(layer.bytes.subarray(0, 100_000), () => response.destroy());
      },
    ],
  ])('%s', async (what, times, answer) => {
    const evil = await serveEvil();
    answerLayer(evil, answer, times);
    if (what.includes('knows no ranges')) {
      let count = 0;
      evil.registry.intercept((request, response) => {
        if (!(request.url ?? '').includes(evil.layer.digest)) return false;
        count += 1;
        if (count === 1) answer(request, response, evil);
        else response.writeHead(200).end(evil.layer.bytes);
        return true;
      });
    }
    const { code, stderr } = await pull(evil.name);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    await ask(job.berth, 'rmi', evil.name);
  });
});

const json = (response: ServerResponse, type: string, text: string): void => {
  response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
};
const INDEX = 'application/vnd.oci.image.index.v1+json';

describe('a pull fails, and leaves nothing, where a registry', () => {
  const layers: readonly (readonly [string, RegExp, Answer])[] = [
    [
      'sends a layer short, each time',
      /EOF|short|verification failed/,
      (_request, response, { layer }) => {
        response.writeHead(200, { 'content-length': layer.bytes.length });
        response.write(layer.bytes.subarray(0, 10), () => response.destroy());
      },
    ],
    [
      'states a length that the layer does not have',
      /EOF|short|verification failed|longer|size/,
      (_request, response, { layer }) => {
        response.writeHead(200, { 'content-length': 10 });
        response.end(layer.bytes.subarray(0, 10));
      },
    ],
    [
      'sends other bytes',
      /filesystem layer verification failed/,
      (_request, response, { layer }) => response.writeHead(200).end(Buffer.alloc(layer.bytes.length, 1)),
    ],
    [
      'never stops sending',
      /longer than/,
      (_request, response, { layer }) => {
        response.writeHead(200);
        const send = (): void => void response.write(layer.bytes, (error) => (error ? undefined : send()));
        response.on('error', () => undefined);
        send();
      },
    ],
    [
      'limits each request',
      /toomanyrequests: slow down/i,
      (_request, response) => {
        response.writeHead(429, { 'content-type': 'application/json' });
        response.end('{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}');
      },
    ],
    [
      'redirects in circles',
      /stopped after \d+ redirects/,
      (request, response) => response.writeHead(307, { location: request.url ?? '' }).end(),
    ],
    [
      'redirects to the metadata service',
      /not public/,
      (_request, response) => response.writeHead(307, { location: 'http://169.254.169.254/x' }).end(),
    ],
  ];
  const documents: readonly (readonly [
    string,
    RegExp,
    (response: ServerResponse, request: IncomingMessage) => void,
  ])[] = [
    [
      'has a manifest of 5 MB',
      /larger than/,
      (response) => {
        json(response, INDEX, JSON.stringify({ schemaVersion: 2, manifests: [], x: 'x'.repeat(5_000_000) }));
      },
    ],
    [
      'has an index that lists itself',
      /no matching manifest|digest/,
      (response) => {
        const own = { mediaType: INDEX, digest: `sha256:${'a'.repeat(64)}`, size: 2 };
        const platform = { os: 'linux', architecture: 'amd64' };
        json(response, INDEX, JSON.stringify({ schemaVersion: 2, manifests: [{ ...own, platform }] }));
      },
    ],
    [
      'answers with a page',
      /unsupported media type|unknown|manifest/,
      (response) => json(response, 'text/html', '<p>'),
    ],
    [
      'asks for a token that is none',
      /token|JSON|unauthorized|auth/i,
      (response, request) => {
        if ((request.url ?? '').startsWith('/token')) json(response, 'application/json', '<html>');
        else {
          const realm = `http://${request.headers.host ?? ''}/token`;
          response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="x"` }).end();
        }
      },
    ],
    [
      'sends for a token to another place of the network',
      /refused the token server/,
      (response) => {
        response
          .writeHead(401, { 'www-authenticate': 'Bearer realm="http://10.0.0.1/token",service="x"' })
          .end();
      },
    ],
    ['does not have it', /manifest unknown|not found/, (response) => response.writeHead(404).end()],
  ];

  async function expectFailure(evil: Evil, words: RegExp): Promise<void> {
    const before = await traces();
    const memoryBefore = await memoryKb();
    const { code, stderr } = await pull(evil.name);
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/\/var\/|\/run\/| at .*\.js/);
    expect(code).toBe(1);
    expect(await ask(job.berth, 'images', '-q', evil.name)).toBe('');
    // The deletion of a lease is the request that containerd answers after a collection.
    await ctr('leases', 'create', '--id', 'collect');
    await ctr('leases', 'delete', '--sync', 'collect');
    expect(await traces()).toEqual(before);
    expect((await memoryKb()) - memoryBefore).toBeLessThan(MAX_GROWTH_KB);
  }

  test.each(layers)('%s', async (_what, words, answer) => {
    const evil = await serveEvil();
    answerLayer(evil, answer);
    await expectFailure(evil, words);
  });

  test.each(documents)('%s', async (_what, words, answer) => {
    const evil = await serveEvil();
    evil.registry.intercept((request, response) => {
      if (!/\/manifests\/|^\/token/.test(request.url ?? '')) return false;
      answer(response, request);
      return true;
    });
    await expectFailure(evil, words);
  });
});
