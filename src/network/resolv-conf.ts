import { isIP, isIPv4 } from 'node:net';

import { EngineError } from '../errors.ts';

/** The parts of a resolv.conf that are carried into containers. */
export interface ResolverConfig {
  readonly nameServers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** A host's settings, as far as they are of use to containers. */
export interface HostResolvers extends ResolverConfig {
  /** Servers that only the host itself can ask: on its loopback, or over IPv6. */
  readonly hostOnly: readonly string[];
  /** The host names no server at all: those that stand here are public ones. */
  readonly areGuessed: boolean;
}

/** `HostConfig.Dns`, `DnsSearch` and `DnsOptions`; an empty list overrides nothing. */
export interface ResolverOverrides {
  readonly nameServers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

const fallbackNameServers = ['8.8.8.8', '8.8.4.4'];
const wordPattern = /^[^\s#;\p{Cc}]+$/u;

/** Reads a resolv.conf: every name server, the last search or domain line, the options of all lines. */
export function parseResolvConf(text: string): ResolverConfig {
  const config = { nameServers: [] as string[], search: [] as string[], options: [] as string[] };
  for (const line of text.split('\n')) {
    if (line.startsWith('#') || line.startsWith(';')) continue;
    const [keyword, ...words] = line.trim().split(/\s+/);
    const [first] = words;
    if (first === undefined) continue;
    if (keyword === 'nameserver' && isIP(first) !== 0) config.nameServers.push(first);
    else if (keyword === 'search') config.search = words.filter((word) => word !== '.');
    else if (keyword === 'domain') config.search = [first];
    else if (keyword === 'options') config.options.push(...words);
  }
  return config;
}

/**
 * The host's resolvers: those that containers can reach, and the others (on loopback they answer in the host's namespace
 * only, and bridges here are IPv4). Where the host has none, the public ones that dockerd falls back to.
 */
export function forContainers(host: ResolverConfig): HostResolvers {
  const isReachable = (one: string): boolean => isIPv4(one) && !one.startsWith('127.');
  // Both mean the host's own loopback.
  const named = host.nameServers.map((one) => ({ '0.0.0.0': '127.0.0.1', '::': '::1' })[one] ?? one);
  const areGuessed = named.length === 0;
  return {
    ...host,
    nameServers: areGuessed ? fallbackNameServers : named.filter(isReachable),
    hostOnly: named.filter((one) => !isReachable(one)),
    areGuessed,
  };
}

/** True where all name servers are on loopback: systemd-resolved's stub, whose upstream servers are in another file. */
export function isLoopbackOnly(host: ResolverConfig): boolean {
  return (
    host.nameServers.length > 0 && host.nameServers.every((one) => one.startsWith('127.') || one === '::1')
  );
}

/** Text of a container's resolv.conf. A value that would not stay one word of one line is InvalidArgument. */
export function formatResolvConf(base: ResolverConfig, overrides: ResolverOverrides): string {
  for (const address of overrides.nameServers) {
    if (isIP(address) === 0)
      throw new EngineError('InvalidArgument', `invalid IP address: ${JSON.stringify(address)}`);
  }
  for (const word of [...overrides.search, ...overrides.options]) {
    if (!wordPattern.test(word))
      throw new EngineError('InvalidArgument', `invalid DNS setting: ${JSON.stringify(word)}`);
  }
  const pick = (given: readonly string[], own: readonly string[]): readonly string[] =>
    given.length > 0 ? given : own;
  const search = pick(overrides.search, base.search).filter((word) => word !== '.');
  const options = pick(overrides.options, base.options);
  return [
    ...pick(overrides.nameServers, base.nameServers).map((address) => `nameserver ${address}\n`),
    search.length > 0 ? `search ${search.join(' ')}\n` : '',
    options.length > 0 ? `options ${options.join(' ')}\n` : '',
  ].join('');
}

/** As `formatResolvConf`, for a container with a resolver of its own: that one asks the servers of `overrides`. */
export function formatResolverConf(base: ResolverConfig, overrides: ResolverOverrides): string {
  const options = overrides.options.length > 0 ? overrides.options : base.options;
  const hasDots = options.some((option) => option.startsWith('ndots:'));
  const dots = hasDots ? options : [...options, 'ndots:0'];
  return formatResolvConf(base, { ...overrides, nameServers: [], options: dots });
}
