import { mkdtempSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { ask, useJob } from '../support/e2e-job.ts';
import { buildImage, type BuiltImage } from '../support/image-builder.ts';
import { serveMemoryRegistry, type MemoryRegistry } from '../support/memory-registry.ts';
import { startRegistry } from '../support/registry.ts';
import { basicHeader, credentials } from '../support/scripted-server.ts';

// Mirrors by hosts.toml, as a daemon is given them: what each server is asked for, and what it is shown.

const registries = mkdtempSync('/tmp/berth-mirrors-');
const job = useJob({ args: ['--registries', registries] });
afterAll(() => rm(registries, { recursive: true }));

let images = 0;
function newImage(): Promise<BuiltImage> {
  images += 1;
  return buildImage({
    labels: { image: String(images) },
    layers: [[{ type: 'file', path: 'n', content: String(images) }]],
  });
}

async function configure(domain: string, ...lines: readonly string[]): Promise<void> {
  const directory = join(registries, domain.replace(/:(\d+)$/, '_$1_'));
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'hosts.toml'), [`server = "http://${domain}"`, ...lines, ''].join('\n'));
}

interface Seen {
  readonly agent: string;
  readonly line: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What a memory registry is asked for from now on, and by whom. */
function watch(registry: MemoryRegistry): readonly Seen[] {
  const seen: Seen[] = [];
  registry.intercept(({ method = '', url = '', headers }) => {
    seen.push({ agent: headers['user-agent'] ?? '', line: `${method} ${url}`, headers });
    return false;
  });
  return seen;
}

const ownLines = (seen: readonly Seen[]): readonly string[] =>
  seen.filter(({ agent }) => agent === 'berth').map(({ line }) => line);

async function pullAndRemove(name: string): Promise<void> {
  await ask(job.berth, 'pull', name);
  await ask(job.berth, 'rmi', name);
}

describe('docker-registry as a pull-through cache', () => {
  test('is asked for everything; the registry itself when the cache is gone', async () => {
    const origin = await serveMemoryRegistry();
    const cache = await startRegistry(undefined, undefined, [`proxy: {remoteurl: "http://${origin.host}"}`]);
    let isRunning = true;
    const stop = async (): Promise<void> => {
      if (isRunning) await cache.stop();
      isRunning = false;
    };
    onTestFinished(stop);
    await configure(origin.host, `[host."http://${cache.host}"]`, '  capabilities = ["pull", "resolve"]');
    origin.put('team/app', 'v1', await newImage());
    const later = await newImage();
    origin.put('team/app', 'v2', later);
    const seen = watch(origin);
    await pullAndRemove(`${origin.host}/team/app:v1`);
    expect(ownLines(seen)).toEqual([]);
    const asked = (await cache.requests()).map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`);
    expect(asked).toContain('HEAD /v2/team/app/manifests/v1');
    expect(asked.filter((line) => line.includes('/blobs/')).length).toBeGreaterThan(1);
    await stop();
    await pullAndRemove(`${origin.host}/team/app:v2`);
    for (const { digest } of later.layers.slice(-1))
      expect(ownLines(seen)).toContain(`GET /v2/team/app/blobs/${digest}`);
  });

  test('that may not resolve is asked for no tag, but for what has a digest', async () => {
    const origin = await serveMemoryRegistry();
    const mirror = await serveMemoryRegistry();
    await configure(origin.host, `[host."http://${mirror.host}"]`, '  capabilities = ["pull"]');
    const image = await newImage();
    origin.put('team/app', 'v1', image);
    mirror.put('team/app', 'v1', image);
    await pullAndRemove(`${origin.host}/team/app:v1`);
    expect(origin.seen.map(({ url }) => url)).toContain('/v2/team/app/manifests/v1');
    expect(origin.blobReads()).toBe(0);
    expect(mirror.seen.filter(({ url }) => url.includes('/manifests/v1'))).toEqual([]);
    expect(mirror.blobReads()).toBeGreaterThan(0);
  });
});

describe('credentials for a registry', () => {
  async function pullAs(name: string): Promise<number> {
    const auth = Buffer.from(JSON.stringify(credentials)).toString('base64url');
    const connection = await createApiClient(job.berth.ready.socket).open(
      'POST',
      `/images/create?fromImage=${encodeURIComponent(name)}`,
      { headers: { 'X-Registry-Auth': auth } },
    );
    const { status, body } = await connection.readResponse();
    connection.close();
    expect(body.toString()).not.toContain('errorDetail');
    return status;
  }

  test('go to it alone: not to mirrors, in their order, nor along with a redirect', async () => {
    const origin = await serveMemoryRegistry();
    const [deep, second, store] = [
      await serveMemoryRegistry(),
      await serveMemoryRegistry(),
      await serveMemoryRegistry(),
    ];
    await configure(
      origin.host,
      `[host."http://${deep.host}/some/where"]`,
      '  override_path = true',
      `  [host."http://${deep.host}/some/where".header]`,
      '    x-site = "here"',
      `[host."http://${second.host}"]`,
    );
    origin.put('private/app', 'v1', await newImage());
    const watched = [deep, second, store].map(watch);
    origin.intercept(({ url = '', headers, method }, response) => {
      if (headers.authorization !== basicHeader || method !== 'GET' || !url.includes('/blobs/')) return false;
      response
        .writeHead(307, { location: `http://${store.host}${url.replace('/private/', '/moved/')}` })
        .end();
      return true;
    });
    origin.requireAuthorization(basicHeader);
    store.put(
      'moved/app',
      'v1',
      await buildImage({
        labels: { image: String(images) },
        layers: [[{ type: 'file', path: 'n', content: String(images) }]],
      }),
    );
    expect(await pullAs(`${origin.host}/private/app:v1`)).toBe(200);
    await ask(job.berth, 'rmi', `${origin.host}/private/app:v1`);
    const ns = `?ns=${encodeURIComponent(origin.host)}`;
    const [toDeep = [], toSecond = [], toStore = []] = watched;
    expect(toDeep[0]?.line).toBe(`HEAD /some/where/private/app/manifests/v1${ns}`);
    expect(toDeep[0]?.headers['x-site']).toBe('here');
    expect(toSecond[0]?.line).toBe(`HEAD /v2/private/app/manifests/v1${ns}`);
    expect(toStore.length).toBeGreaterThan(0);
    for (const { headers } of [...toDeep, ...toSecond, ...toStore])
      expect(headers['authorization']).toBeUndefined();
    for (const { headers } of [...toSecond, ...toStore]) expect(headers['x-site']).toBeUndefined();
    expect(origin.seen.some(({ authorization }) => authorization === basicHeader)).toBe(true);
  });
});
