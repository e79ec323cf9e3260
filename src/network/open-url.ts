import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { EngineError, messageOf } from '../errors.ts';
import { dialAddresses, type Dialling } from './dial-addresses.ts';
import type { OpenedUrl } from './types.ts';
import { bareHost, findAddresses, type AddressPolicy } from './url-addresses.ts';

/** Where the connections of a job begin, and whom they may reach. */
export type UrlAccess = Dialling & AddressPolicy;

const maxRedirects = 10;
const idleTimeoutMs = 30_000;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches a URL as a process of the job would: each connection begins in the job's network namespace, where its rules
 * hold, to an address that was looked at. Redirects are connections like the first one.
 */
export async function openUrl(access: UrlAccess, from: string, signal: AbortSignal): Promise<OpenedUrl> {
  let url = parseUrl(from);
  for (let count = 0; count <= maxRedirects; count += 1) {
    const answer = await ask(access, url, signal);
    const { location } = answer.headers;
    if (!redirects.has(answer.statusCode ?? 0) || location === undefined) return opened(answer);
    answer.destroy();
    const next = parseUrl(location, url);
    if (url.protocol === 'https:' && next.protocol !== 'https:')
      throw new EngineError('Unavailable', `refused a redirect of ${url.origin} to plain http`);
    url = next;
  }
  throw new EngineError('Unavailable', `${from}: stopped after ${maxRedirects} redirects`);
}

function opened(answer: IncomingMessage): OpenedUrl {
  return {
    status: answer.statusCode ?? 0,
    lastModified: answer.headers['last-modified'] ?? '',
    contentDisposition: answer.headers['content-disposition'] ?? '',
    body: answer,
  };
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base?.href) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new EngineError('InvalidArgument', `not a URL of http or https: ${text.slice(0, 500)}`);
}

async function ask(access: UrlAccess, url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const addresses = await findAddresses(access, url.hostname);
  try {
    const socket = await dialAddresses(access, { addresses, port: portOf(url) }, signal);
    return await exchange(url, { socket, signal });
  } catch (error) {
    if (signal.aborted) throw new EngineError('Cancelled', 'context canceled', { cause: error });
    throw new EngineError('Unavailable', `Get "${url.origin}${url.pathname}": ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

function exchange(
  url: URL,
  { socket, signal }: { readonly socket: Socket; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const isTls = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      // Without an agent, or it would make connections of its own.
      signal,
      headers: { 'user-agent': 'berth', connection: 'close' },
      createConnection: () => (isTls ? connectTls({ socket, ...nameOf(url) }) : socket),
    };
    socket.once('error', reject);
    const outgoing = (isTls ? requestHttps : requestHttp)(url, options);
    outgoing.setTimeout(idleTimeoutMs, () => {
      outgoing.destroy(new Error("i/o timeout: it is down, or forbidden by the job's egress rules"));
    });
    outgoing.once('close', () => {
      socket.destroy();
    });
    outgoing.once('error', reject);
    outgoing.once('response', resolve);
    outgoing.end();
  });
}

// Without a host the certificate would have to be localhost's.
function nameOf({ hostname }: URL): { readonly host: string; readonly servername?: string } {
  const host = bareHost(hostname);
  return isIP(host) === 0 ? { host, servername: host } : { host };
}
