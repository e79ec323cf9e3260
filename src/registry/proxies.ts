import { isIP } from 'node:net';
import { isLoopbackHost } from './loopback.ts';
import { createBlockTest } from '../lib/address-blocks.ts';

/** Through whom the operator has registries spoken to. */
export interface ProxySettings {
  readonly http: URL | undefined;
  readonly https: URL | undefined;
  readonly exempt: readonly string[];
}

/** Finds the proxy for an address; undefined where it is spoken to directly. */
export type ProxyFinder = (url: URL) => URL | undefined;

/** Reads the settings as Go's net/http does: the loopback device is never behind a proxy. */
export function createProxyFinder({ http, https, exempt }: ProxySettings): ProxyFinder {
  const isExempt = exempt.map(exemption);
  return (url) => {
    const proxy = url.protocol === 'https:' ? https : http;
    const hostname = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
    if (!proxy || isLoopbackHost(hostname)) return undefined;
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    return isExempt.some((matches) => matches(hostname, port)) ? undefined : proxy;
  };
}

function exemption(entry: string): (hostname: string, port: string) => boolean {
  if (entry === '*') return () => true;
  if (/^[0-9a-f.:]+\/\d{1,3}$/.test(entry)) {
    const isInBlock = createBlockTest([entry]);
    return (hostname) => isIP(hostname) !== 0 && isInBlock(hostname);
  }
  const [, bracketed, plain, wantedPort] =
    /^(?:\[([^\]]+)\]|([^:]*|[0-9a-f:]+))(?::(\d+))?$/.exec(entry) ?? [];
  const name = (bracketed ?? plain ?? entry).replace(/^\*(?=\.)/, '');
  return (hostname, port) => {
    if (wantedPort !== undefined && wantedPort !== port) return false;
    if (name.startsWith('.')) return hostname.endsWith(name);
    return hostname === name || (isIP(name) === 0 && hostname.endsWith(`.${name}`));
  };
}

/** What a request shows the proxy: the credentials of its address, if there are some. */
export function proxyAuthorization({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}
