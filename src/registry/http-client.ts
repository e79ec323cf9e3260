import {
  Agent as HttpAgent,
  request as requestHttp,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps, type RequestOptions } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../errors.ts';
import { connectionError, TransientRegistryError } from './errors.ts';
import { isLoopbackHost } from './loopback.ts';
import type { ProxyFinder } from './proxies.ts';
import type { Reach } from './reach.ts';
import { toProxy, TunnelAgent } from './tunnel-agent.ts';

/** How a host's certificate is checked, and what we show it. */
export interface TlsOptions {
  readonly ca: readonly Buffer[];
  readonly clientCertificates: readonly { readonly cert: Buffer; readonly key: Buffer }[];
  readonly skipVerify: boolean;
}

/** A body that is sent as it is read. */
export interface StreamedBody {
  readonly size: number;
  open(): AsyncIterable<Uint8Array>;
}

/** One request; `authorization` and `headers` go to the URL's own origin alone, whatever redirects follow. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Headers that tell no secret: they go along with redirects. */
  readonly openHeaders?: Readonly<Record<string, string>>;
  readonly body?: string | StreamedBody;
  readonly tls: TlsOptions;
  readonly signal: AbortSignal;
}

/** An answer; its body has to be read to the end or destroyed. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: IncomingMessage;
  /** The header's value, the first one's where there are several; empty when absent. */
  header(name: string): string;
}

/** A small HTTP client: redirects followed, everything timed out, nothing thrown but EngineErrors. */
export interface HttpClient {
  send(request: HttpRequest): Promise<HttpAnswer>;
}

/** Clients for registries: each speaks to whom its registry's reach allows, over connections of its own. */
export interface HttpClients {
  forRegistry(domain: string, reach: Reach): HttpClient;
  /** Ends all connections. */
  close(): void;
}

/** Times and counts of the client. */
export interface HttpLimits {
  /** Longest silence of the other side. */
  readonly idleTimeoutMs: number;
  readonly maxRedirects: number;
}

const DEFAULT_LIMITS: HttpLimits = { idleTimeoutMs: 60_000, maxRedirects: 5 };
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const USER_AGENT = 'berth';
const MAX_POOLS = 64;
const IDLE_CONNECTION_MS = 15_000;
const AGENT_OPTIONS = { keepAlive: true, timeout: IDLE_CONNECTION_MS };

/** Makes clients; a connection is only used again for the registry that it was made for, for only then was it checked. */
export function createHttpClients(
  findProxy: ProxyFinder = () => undefined,
  limits: HttpLimits = DEFAULT_LIMITS,
): HttpClients {
  const pools = new Map<string, Agents>();
  return {
    forRegistry(domain, reach) {
      const agents = pools.get(domain) ?? createAgents();
      pools.delete(domain);
      pools.set(domain, agents);
      // Idle connections of one that is forgotten end by themselves.
      for (const oldest of pools.keys()) {
        if (pools.size <= MAX_POOLS) break;
        pools.delete(oldest);
      }
      return { send: (request) => sendFollowing({ agents, reach, limits, findProxy }, request) };
    },
    close() {
      for (const { http, https, tunnel } of pools.values()) {
        http.destroy();
        https.destroy();
        tunnel?.destroy();
      }
    },
  };
}

function createAgents(): Agents {
  return { http: new HttpAgent(AGENT_OPTIONS), https: new HttpsAgent(AGENT_OPTIONS), tunnel: undefined };
}

interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  /** Through the proxy for https, once it was needed. */
  tunnel: TunnelAgent | undefined;
}

interface Sender {
  readonly agents: Agents;
  readonly reach: Reach;
  readonly limits: HttpLimits;
  readonly findProxy: ProxyFinder;
}

async function sendFollowing(sender: Sender, first: HttpRequest): Promise<HttpAnswer> {
  const { limits } = sender;
  let request = first;
  for (let redirects = 0; redirects <= limits.maxRedirects; redirects += 1) {
    const answer = await sendOnce(sender, request);
    const location = REDIRECTS.has(answer.status) ? answer.header('location') : '';
    if (location === '') return answer;
    answer.body.destroy();
    request = redirected(request, location);
  }
  throw new EngineError(
    'Unavailable',
    `${first.method} "${first.url.origin}${first.url.pathname}": stopped after ${limits.maxRedirects} redirects`,
  );
}

// Only what tells no secret goes to another origin: no Authorization, no operator's header, no client certificate,
// and no leave to skip the check of its certificate.
function redirected(from: HttpRequest, location: string): HttpRequest {
  const url = parseLocation(from.url, location);
  if (url.origin === from.url.origin) return { ...from, url };
  if (from.body !== undefined) throw refusedRedirect(from.url, 'a request with a body');
  if (from.url.protocol === 'https:' && url.protocol !== 'https:' && !isLoopbackHost(url.hostname))
    throw refusedRedirect(from.url, 'to plain http');
  return { ...from, url, headers: {}, tls: { ca: from.tls.ca, clientCertificates: [], skipVerify: false } };
}

function parseLocation(base: URL, location: string): URL {
  const url = URL.canParse(location, base.href) ? new URL(location, base) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw refusedRedirect(base, 'not to http(s)');
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}

function refusedRedirect(url: URL, why: string): EngineError {
  return new EngineError('Unavailable', `refused a redirect of ${url.origin}: ${why}`);
}

async function sendOnce(sender: Sender, request: HttpRequest): Promise<HttpAnswer> {
  sender.reach.check(request.url);
  const proxy = sender.findProxy(request.url);
  if (proxy) await sender.reach.checkName(request.url);
  try {
    const body = await exchange(sender, request, proxy);
    return {
      status: body.statusCode ?? 0,
      body,
      header(name) {
        const value = body.headers[name];
        return (Array.isArray(value) ? value[0] : value) ?? '';
      },
    };
  } catch (error) {
    if (request.signal.aborted) throw new EngineError('Cancelled', 'context canceled', { cause: error });
    throw connectionError(error, request);
  }
}

function exchange(
  { agents, reach, limits }: Sender,
  request: HttpRequest,
  proxy: URL | undefined,
): Promise<IncomingMessage> {
  const options: RequestOptions = {
    method: request.method,
    signal: request.signal,
    lookup: reach.lookup,
    headers: {
      'user-agent': USER_AGENT,
      ...request.openHeaders,
      ...request.headers,
      ...(request.body === undefined ? {} : { 'content-length': String(sizeOf(request.body)) }),
    },
  };
  return new Promise((resolve, reject) => {
    const outgoing = openRequest(agents, request, { options, proxy });
    outgoing.setTimeout(limits.idleTimeoutMs, () => {
      outgoing.destroy(
        new TransientRegistryError(
          `${request.method} "${request.url.origin}${request.url.pathname}": i/o timeout`,
        ),
      );
    });
    outgoing.once('error', reject);
    outgoing.once('response', resolve);
    if (typeof request.body === 'object') sendStreamed(outgoing, request.body, reject);
    else outgoing.end(request.body);
  });
}

function openRequest(
  agents: Agents,
  { url, method, tls, signal }: HttpRequest,
  { options, proxy }: { readonly options: RequestOptions; readonly proxy: URL | undefined },
): ClientRequest {
  if (url.protocol === 'https:') {
    if (proxy) agents.tunnel ??= new TunnelAgent(proxy, AGENT_OPTIONS);
    return requestHttps(url, { ...options, agent: proxy ? agents.tunnel : agents.https, ...tlsOptions(tls) });
  }
  if (!proxy) return requestHttp(url, { ...options, agent: agents.http });
  // A proxy for plain http is told the whole address.
  const headers = { ...(options.headers as Readonly<Record<string, string>>), host: url.host };
  return toProxy(proxy, { method, path: url.href, headers, signal });
}

// The other side may answer before it has read all: that answer then counts, and not that it would not take the rest.
function sendStreamed(outgoing: ClientRequest, body: StreamedBody, reject: (error: unknown) => void): void {
  outgoing.once('response', (answer) => {
    answer.once('end', () => {
      if (!outgoing.writableFinished) outgoing.destroy();
    });
  });
  pipeline(Readable.from(body.open(), { objectMode: false }), outgoing).catch(reject);
}

function sizeOf(body: string | StreamedBody): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.size;
}

function tlsOptions(tls: TlsOptions): Pick<RequestOptions, 'rejectUnauthorized' | 'ca' | 'cert' | 'key'> {
  return {
    rejectUnauthorized: !tls.skipVerify,
    ...(tls.ca.length > 0 ? { ca: [...tls.ca] } : {}),
    ...(tls.clientCertificates.length > 0
      ? {
          cert: tls.clientCertificates.map(({ cert }) => cert),
          key: tls.clientCertificates.map(({ key }) => key),
        }
      : {}),
  };
}

/** A small body as text; Unavailable when it is larger. */
export async function readText(answer: HttpAnswer, maxBytes: number): Promise<string> {
  return Buffer.from(await readBytes(answer, maxBytes)).toString('utf8');
}

/** A small body as bytes; Unavailable when it is larger or breaks off. */
export async function readBytes(answer: HttpAnswer, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes)
        throw new EngineError('Unavailable', `a registry's answer is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw new TransientRegistryError('unexpected EOF', { cause });
  }
  return Buffer.concat(chunks);
}
