import { lookup } from 'node:dns/promises';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { EngineError, messageOf } from '../errors.ts';
import type { NetnsEntry } from '../host/netns.ts';
import { createBlockTest, isSpecialAddress } from '../lib/address-blocks.ts';
import { neverReached, type Egress } from './egress.ts';
import type { OpenedUrl } from './types.ts';

/** Where the connections of a job begin, and whom they may reach. */
export interface UrlAccess {
  readonly netns: NetnsEntry;
  readonly netnsPath: string;
  readonly egress: Egress;
  /** True where the kernel's rules keep the job from private addresses that are not its own. */
  readonly hasRules: boolean;
}

const maxRedirects = 10;
const idleTimeoutMs = 30_000;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const isNeverReached = createBlockTest(neverReached);

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
  const address = await findAddress(access, url.hostname);
  try {
    return await exchange(url, { socket: dial(access, url, address), signal });
  } catch (error) {
    if (signal.aborted) throw new EngineError('Cancelled', 'context canceled', { cause: error });
    throw new EngineError('Unavailable', `Get "${url.origin}${url.pathname}": ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The address that is then dialled: a name's later answers change nothing. */
async function findAddress({ egress, hasRules }: UrlAccess, hostname: string): Promise<string> {
  if (egress.kind === 'none') throw refused(hostname, 'this job has no egress');
  const bare = hostname.replace(/^\[|\]$/g, '');
  if (isIP(bare) === 6) throw refused(hostname, 'URLs are fetched over IPv4');
  const address = isIP(bare) === 4 ? bare : await resolveName(bare);
  if (isNeverReached(address)) throw refused(hostname, 'its address is of the machine or its link alone');
  const isAllowed = egress.kind === 'all' || hasRules || !isSpecialAddress(address);
  if (isAllowed || createBlockTest(egress.allow.map(asBlock))(address)) return address;
  throw refused(hostname, 'its address is not public, and not listed in [network] egress_allow');
}

async function resolveName(hostname: string): Promise<string> {
  try {
    return (await lookup(hostname, { family: 4 })).address;
  } catch (cause) {
    throw new EngineError('Unavailable', `dial tcp: lookup ${hostname}: no such host`, { cause });
  }
}

function asBlock(text: string): string {
  if (text.includes('/')) return text;
  return text.includes(':') ? `${text}/128` : `${text}/32`;
}

function refused(hostname: string, why: string): EngineError {
  return new EngineError('PermissionDenied', `${hostname} is refused by the job's egress rules: ${why}`);
}

function dial({ netns, netnsPath }: UrlAccess, { protocol, port }: URL, address: string): Socket {
  const fd = netns.open(netnsPath, { protocol: 'tcp', family: 4 });
  const options = { fd, readable: true, writable: true, manualStart: true };
  const socket = new Socket(options);
  socket.connect(port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port), address);
  return socket;
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

function nameOf({ hostname }: URL): { readonly servername?: string } {
  return isIP(hostname) === 0 ? { servername: hostname } : {};
}
