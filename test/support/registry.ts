import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { baseEnvironment, startProcess, type RunningProcess } from './e2e-process.ts';
import type { Blob, BuiltImage } from './image-builder.ts';
import { imageIndex, imageManifest, type Manifest, type ManifestKind } from './image-builder-manifests.ts';

/** One request that a client made. */
export interface RegistryRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** A registry on the loopback device, and what was asked of it. */
export interface Registry {
  /** `127.0.0.1:PORT`, as it stands in an image's name. */
  readonly host: string;
  /** Every request so far, but those of pushImage and pushIndex. */
  requests(): Promise<readonly RegistryRequest[]>;
  stop(): Promise<void>;
}

const ownAgent = 'berth-tests';
const startTimeoutMs = 20_000;

/** A network namespace by its path, and the port there, which has to be free. */
export interface RegistryPlace {
  readonly netns: string;
  readonly port: number;
}

/**
 * Starts docker-registry on a free port of this machine or elsewhere, with what `data` holds, or with a directory of
 * its own that stop removes; `more` are lines of its configuration.
 */
export async function startRegistry(
  data?: string,
  place?: RegistryPlace,
  more: readonly string[] = [],
): Promise<Registry> {
  const directory = await mkdtemp('/tmp/berth-registry-');
  const config = join(directory, 'config.yml');
  await writeFile(
    config,
    [...configuration(data ?? join(directory, 'data'), place?.port ?? 0), ...more, ''].join('\n'),
  );
  const serve = ['docker-registry', 'serve', config];
  const server = await startProcess({
    program: place ? 'nsenter' : 'env',
    args: place ? [`--net=${place.netns}`, ...serve] : serve,
    env: baseEnvironment(directory),
  });
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await server.exited;
    await rm(directory, { recursive: true });
  };
  try {
    const host = await server.waitForOutput(
      ({ stderr }) => /listening on (127\.0\.0\.1:\d+)/.exec(stderr)?.[1],
      startTimeoutMs,
    );
    return { host, requests: () => listRequests(server, host), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Stores the image under `name:tag`; the answer is its manifest. */
export async function pushImage(
  { host }: Pick<Registry, 'host'>,
  name: string,
  { image, kind }: { readonly image: BuiltImage; readonly kind: ManifestKind },
): Promise<Manifest> {
  const { repository, tag } = splitName(name);
  const manifest = imageManifest(image, kind);
  for (const blob of [image.config, ...image.layers]) await pushBlob(host, repository, blob);
  await pushManifest(host, `${repository}/manifests/${tag}`, manifest);
  return manifest;
}

/** Stores images of several platforms under one `name:tag`; the answer is the index. */
export async function pushIndex(
  registry: Registry,
  name: string,
  { images, kind }: { readonly images: readonly BuiltImage[]; readonly kind: ManifestKind },
): Promise<Manifest> {
  const { repository, tag } = splitName(name);
  const manifests = [];
  for (const image of images) {
    const { architecture, os } = image;
    const manifest = imageManifest(image, kind);
    for (const blob of [image.config, ...image.layers]) await pushBlob(registry.host, repository, blob);
    await pushManifest(registry.host, `${repository}/manifests/${manifest.digest}`, manifest);
    manifests.push({ manifest, platform: { architecture, os } });
  }
  const index = imageIndex(kind, manifests);
  await pushManifest(registry.host, `${repository}/manifests/${tag}`, index);
  return index;
}

function configuration(dataDirectory: string, port: number): readonly string[] {
  return [
    'version: 0.1',
    'log: {level: info}',
    `storage: {filesystem: {rootdirectory: ${dataDirectory}}, delete: {enabled: true}}`,
    `http: {addr: "127.0.0.1:${port}"}`,
  ];
}

function splitName(name: string): { readonly repository: string; readonly tag: string } {
  const colon = name.lastIndexOf(':');
  if (colon === -1) throw new Error(`no tag in ${name}`);
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

async function pushBlob(host: string, repository: string, blob: Blob): Promise<void> {
  const begun = await send(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(begun.headers.get('location') ?? '', `http://${host}`);
  location.searchParams.set('digest', blob.digest);
  await send(location.href, {
    method: 'PUT',
    body: new Uint8Array(blob.bytes),
    headers: { 'content-type': 'application/octet-stream' },
  });
}

async function pushManifest(host: string, path: string, manifest: Manifest): Promise<void> {
  await send(`http://${host}/v2/${path}`, {
    method: 'PUT',
    body: new Uint8Array(manifest.bytes),
    headers: { 'content-type': manifest.mediaType },
  });
}

interface Sent {
  readonly method: string;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

async function send(url: string, { method, body, headers }: Sent): Promise<Response> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, 'user-agent': ownAgent },
    ...(body === undefined ? {} : { body }),
  });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return response;
}

/** The log lags behind the answers: a request of our own is made, and all before it stands in the log with it. */
async function listRequests(server: RunningProcess, host: string): Promise<readonly RegistryRequest[]> {
  const marker = `/v2/?marker=${process.hrtime.bigint()}`;
  await send(`http://${host}${marker}`, { method: 'GET' });
  const log = await server.waitForOutput(
    ({ stdout }) => (stdout.includes(marker) ? stdout : undefined),
    startTimeoutMs,
  );
  return log
    .split('\n')
    .filter((line) => !line.endsWith(`"${ownAgent}"`))
    .flatMap((line) => {
      const [, method, path, status] = /"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d+)/.exec(line) ?? [];
      if (method === undefined || path === undefined) return [];
      return [{ method, path, status: Number(status) }];
    });
}
