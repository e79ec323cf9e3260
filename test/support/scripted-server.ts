import { createHash } from 'node:crypto';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { RegistryCredentials, RegistryDescriptor, Repository } from '../../src/registry/types.ts';

/** Credentials of a client. */
export const credentials: RegistryCredentials = {
  username: 'user',
  password: 'secret',
  identityToken: '',
  registryToken: '',
};
/** `credentials` as an Authorization header. */
export const basicHeader = `Basic ${Buffer.from('user:secret').toString('base64')}`;
/** How many attempts a repository of `openRepository` makes. */
export const ATTEMPTS = 3;
/** The media type of `answerManifest`. */
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
/** Bytes that stand for a manifest: the client does not look into them. */
export const manifestBytes = Buffer.from('{"schemaVersion":2}');

/** One request that a server got. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
}

/** A server of the test's own making, on loopback until the test ends. */
export interface ScriptedServer {
  readonly host: string;
  readonly seen: readonly SeenRequest[];
}

/** Starts a server that answers as told; it ends with the test. */
export async function serveScript(handle: RequestListener): Promise<ScriptedServer> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      authorization: request.headers.authorization,
    });
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { host: `127.0.0.1:${port}`, seen };
}

/** How a test opens its repository. */
export interface OpenOptions {
  readonly credentials?: RegistryCredentials;
  readonly registriesDir?: string;
  readonly signal?: AbortSignal;
}

/** The repository `team/app` of a registry, with hardly any pause between attempts; it ends with the test. */
export function openRepository(host: string, options: OpenOptions = {}): Repository {
  const { registriesDir, credentials: given, signal } = options;
  const retry = { attempts: ATTEMPTS, firstDelayMs: 1, maxDelayMs: 5 };
  const registry = createRegistry(
    { registriesDir, insecureRegistries: [], privateRegistries: ['127.0.0.0/8'] },
    retry,
  );
  onTestFinished(() => {
    registry.close();
  });
  return registry.open({
    reference: { domain: host, path: 'team/app' },
    familiarName: `${host}/team/app`,
    ...(given ? { credentials: given } : {}),
    signal: signal ?? new AbortController().signal,
  });
}

/** The descriptor that the bytes deserve. */
export function describeBlob(bytes: Uint8Array): RegistryDescriptor {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { mediaType: '', digest, size: bytes.length };
}

/** Answers with a manifest as a registry does. */
export function answerManifest(response: ServerResponse, bytes: Uint8Array): void {
  response.writeHead(200, {
    'content-type': MANIFEST_TYPE,
    'content-length': bytes.length,
    'docker-content-digest': describeBlob(bytes).digest,
  });
  response.end(bytes);
}
