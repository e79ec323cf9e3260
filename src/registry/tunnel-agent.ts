import { request as requestHttp, type ClientRequest } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { TransientRegistryError } from './errors.ts';
import { proxyAuthorization } from './proxies.ts';

type Connect = NonNullable<HttpsAgent['createConnection']>;
type Options = Parameters<Connect>[0];
type Callback = NonNullable<Parameters<Connect>[1]>;

const CONNECT_TIMEOUT_MS = 60_000;

/** Connections over TLS from end to end, through a proxy's tunnel (CONNECT). */
export class TunnelAgent extends HttpsAgent {
  readonly #proxy: URL;

  constructor(proxy: URL, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(options: Options, callback?: Callback): Duplex | null | undefined {
    const { host, port } = options;
    const name = String(host);
    openTunnel(this.#proxy, `${name.includes(':') ? `[${name}]` : name}:${String(port ?? 443)}`).then(
      (socket) => {
        callback?.(null, connectTls({ ...options, socket, path: undefined, lookup: undefined } as object));
      },
      (error: unknown) => {
        callback?.(error as Error, undefined as never);
      },
    );
    return undefined;
  }
}

function openTunnel(proxy: URL, target: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const outgoing = toProxy(proxy, { method: 'CONNECT', path: target, headers: { host: target } });
    outgoing.setTimeout(CONNECT_TIMEOUT_MS, () => {
      outgoing.destroy(new TransientRegistryError('proxyconnect: i/o timeout'));
    });
    outgoing.once('error', (cause) => {
      reject(new TransientRegistryError(`proxyconnect tcp: ${cause.message}`, { cause }));
    });
    outgoing.once('connect', (answer, socket) => {
      socket.setTimeout(0);
      if (answer.statusCode === 200) resolve(socket);
      else {
        socket.destroy();
        reject(new TransientRegistryError(`proxyconnect: the proxy answered ${answer.statusCode ?? 0}`));
      }
    });
    outgoing.end();
  });
}

/** A request to the proxy itself, with the credentials that are for it. */
export function toProxy(
  proxy: URL,
  request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  },
): ClientRequest {
  const options = {
    ...request,
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    agent: false as const,
    headers: { ...request.headers, ...proxyAuthorization(proxy) },
  };
  return proxy.protocol === 'https:' ? requestHttps(options) : requestHttp(options);
}
