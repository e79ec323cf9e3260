import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { COMMON_HEADERS, isFromBrowser } from './common-headers.ts';
import { createHijackMatcher, type RouteKey } from './hijack-routes.ts';
import { resolveApiVersion } from './http/api-version.ts';
import { compileRoutePath } from './http/route-path.ts';
import { createHttpServer } from './http/server.ts';
import { PING_HEADERS } from './system/ping.ts';

/** What answers the requests of the Docker API. */
export interface DockerApp {
  readonly onRequest: RequestListener;
  /** A request to a hijack route, with the bytes after its headers: `head`, then the socket. */
  readonly onHijack: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
}

/** What a server of the Docker API needs. */
export interface DockerServerOptions {
  /** Requests wait for it; where it fails, their connections are cut. */
  readonly app: Promise<DockerApp>;
  /** True where pings are answered before there is an app. */
  readonly answersPings: boolean;
  /** Of the app's routes, those that may take their connection over. */
  readonly hijackRoutes: readonly RouteKey[];
}

const PING_PATH = compileRoutePath('/_ping');

// A client that waits for its daemon asks only this, and the answer is the same for all jobs. Everything that an app
// would look at twice is left to it.
function isPlainPing(request: IncomingMessage): boolean {
  const { method, url } = request;
  const match = PING_PATH.exec(url ?? '');
  const isPing = match !== null && (method === 'GET' || method === 'HEAD') && !isFromBrowser(request);
  return isPing && isServed(match.groups?.['apiVersion']);
}

/** False for a version whose refusal is the app's to word. */
function isServed(apiVersion: string | undefined): boolean {
  try {
    resolveApiVersion(apiVersion);
    return true;
  } catch {
    return false;
  }
}

function answerPing(request: IncomingMessage, response: ServerResponse): void {
  const body = request.method === 'HEAD' ? '' : 'OK';
  response.writeHead(200, {
    ...COMMON_HEADERS,
    ...PING_HEADERS,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
  });
  response.end(body);
}

/**
 * The Docker API as a server that does not listen yet, and whose app may still be in the making: connections are taken
 * and pings answered from the first moment on, everything else when the app is there.
 */
export function createDockerServer({ app, answersPings, hijackRoutes }: DockerServerOptions): Server {
  let current: DockerApp | undefined;
  const whenReady = (connection: Socket | ServerResponse, use: (ready: DockerApp) => void): void => {
    if (current) {
      use(current);
      return;
    }
    const wait = async (): Promise<void> => {
      const ready = await app;
      // Who left while waiting asks for nothing any more.
      if (!connection.destroyed) use(ready);
    };
    wait().catch(() => connection.destroy());
  };
  app.then(
    (ready) => (current = ready),
    () => undefined,
  );
  return createHttpServer({
    onRequest(request, response) {
      if (!current && answersPings && isPlainPing(request)) answerPing(request, response);
      else
        whenReady(response, ({ onRequest }) => {
          onRequest(request, response);
        });
    },
    isHijack: createHijackMatcher(hijackRoutes),
    onHijack(request, socket, head) {
      whenReady(socket, ({ onHijack }) => {
        onHijack(request, socket, head);
      });
    },
  });
}
