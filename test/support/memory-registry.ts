import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BuiltImage } from './image-builder.ts';
import { imageManifest, type Manifest } from './image-builder-manifests.ts';
import { serveScript, type ScriptedServer } from './scripted-server.ts';

/** A registry in the test's own process: honest, unless it is told what else to say. */
export interface MemoryRegistry extends ScriptedServer {
  /** Stores the image under a tag of the repository. */
  put(repository: string, tag: string, image: BuiltImage): Manifest;
  /** Only requests with this Authorization header are answered from now on. */
  requireAuthorization(header: string): void;
  /** Answers the request instead of the registry where it returns true. */
  intercept(handle: (request: IncomingMessage, response: ServerResponse) => boolean): void;
  /** Requests for the bytes of configurations and layers so far. */
  blobReads(): number;
}

/** Starts an empty one; it ends with the test. */
export async function serveMemoryRegistry(): Promise<MemoryRegistry> {
  const documents = new Map<string, { readonly type: string; readonly bytes: Buffer }>();
  let authorization: string | undefined;
  let instead: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  const server = await serveScript((request, response) => {
    if (instead(request, response)) return;
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
      return;
    }
    // A mirror is told whom it stands for.
    answer(request, response, documents.get((request.url ?? '').replace(/\?ns=.*$/, '')));
  });
  return {
    ...server,
    put(repository, tag, image) {
      const manifest = imageManifest(image, 'oci');
      const document = { type: manifest.mediaType, bytes: manifest.bytes };
      for (const name of [tag, manifest.digest])
        documents.set(`/v2/${repository}/manifests/${name}`, document);
      for (const { digest, bytes } of [image.config, ...image.layers])
        documents.set(`/v2/${repository}/blobs/${digest}`, { type: 'application/octet-stream', bytes });
      return manifest;
    },
    requireAuthorization(header) {
      authorization = header;
    },
    intercept(handle) {
      instead = handle;
    },
    blobReads: () =>
      server.seen.filter(({ method, url }) => method === 'GET' && url.includes('/blobs/')).length,
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  document: { readonly type: string; readonly bytes: Buffer } | undefined,
): void {
  if (!document) {
    response.writeHead(404).end();
    return;
  }
  const { type, bytes } = document;
  const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.writeHead(start > 0 ? 206 : 200, {
    'content-type': type,
    'content-length': bytes.length - start,
    'docker-content-digest': `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    ...(start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start));
}
