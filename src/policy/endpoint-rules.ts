import type { EndpointSettings } from '../wire/networking-config.ts';
import { isMacAddress } from './container-config-rules.ts';
import { FEATURES } from './features.ts';
import { isIpv4, isIpv6 } from './ip-address.ts';
import { checkLinks } from './link-spec.ts';
import { bad, free, quote, unless, type Finding, type RuleContext, type RuleTable } from './rule.ts';

const MAX_ALIASES = 100;
const MAX_LINK_LOCAL = 16;
const MAX_OPTION_BYTES = 16 * 1024;
const ALIAS = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,252}$/;
const NETWORK_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_. -]{0,127}$/;
const STATIC_ADDRESS = 'user specified IP address is supported on user defined networks only';
const OPERATIONAL = free('told by the daemon; ignored in a request');

function checkIpam(ipam: EndpointSettings['IPAMConfig']): readonly Finding[] {
  const { IPv4Address: ipv4 = '', IPv6Address: ipv6 = '', LinkLocalIPs: linkLocal = [] } = ipam ?? {};
  const asks = ipv4 !== '' || ipv6 !== '';
  return [
    ...unless(ipv4 === '' || isIpv4(ipv4), bad(`invalid IPv4 address: ${quote(ipv4)}`)),
    ...unless(ipv6 === '' || isIpv6(ipv6), bad(`invalid IPv6 address: ${quote(ipv6)}`)),
    ...linkLocal.flatMap((address) =>
      unless(
        isIpv4(address) && address.startsWith('169.254.'),
        bad(`invalid link-local IP address: ${quote(address)}`),
      ),
    ),
    ...unless(linkLocal.length <= MAX_LINK_LOCAL, bad(`more than ${MAX_LINK_LOCAL} link-local addresses`)),
    ...unless(!asks || FEATURES.staticAddresses, bad(STATIC_ADDRESS)),
  ];
}

// Labels for drivers that are not here are kept and shown, as in dockerd; those with an effect there are refused.
function checkDriverOptions(options: EndpointSettings['DriverOpts']): readonly Finding[] {
  const entries = Object.entries(options ?? {});
  if (JSON.stringify(entries).length > MAX_OPTION_BYTES)
    return [bad(`endpoint driver options are more than ${MAX_OPTION_BYTES} bytes`)];
  return entries.map(([name]) =>
    name.startsWith('com.docker.network.')
      ? bad(`unsupported endpoint driver option: ${quote(name)}`)
      : { kind: 'warn', message: `endpoint driver option ${quote(name)} has no effect` },
  );
}

/** The rows of what a client asks for on one network. */
export const ENDPOINT_RULES: RuleTable<EndpointSettings, unknown> = {
  IPAMConfig: { verdict: 'bad', reason: "addresses of the job's own networks", check: checkIpam },
  Links: {
    verdict: 'bad',
    reason: "only the job's own containers can be linked",
    check: (links) => checkLinks(links ?? []),
  },
  Aliases: {
    verdict: 'bad',
    reason: 'names inside one network of the job',
    check: (aliases) =>
      (aliases ?? []).length > MAX_ALIASES
        ? [bad(`more than ${MAX_ALIASES} network aliases`)]
        : (aliases ?? []).flatMap((alias) =>
            unless(ALIAS.test(alias), bad(`invalid network alias: ${quote(alias)}`)),
          ),
  },
  MacAddress: {
    verdict: 'bad',
    reason: "the address of an interface in the job's own network",
    check: (address) =>
      unless(address === '' || isMacAddress(address), bad(`invalid MAC address: ${quote(address)}`)),
  },
  DriverOpts: {
    verdict: 'bad',
    reason:
      "the bridge driver's own options reach beyond the container; it ignores all others, and so does berth",
    check: checkDriverOptions,
  },
  GwPriority: free('which of the networks has the default route'),
  NetworkID: OPERATIONAL,
  EndpointID: OPERATIONAL,
  Gateway: OPERATIONAL,
  IPAddress: OPERATIONAL,
  IPPrefixLen: OPERATIONAL,
  IPv6Gateway: OPERATIONAL,
  GlobalIPv6Address: OPERATIONAL,
  GlobalIPv6PrefixLen: OPERATIONAL,
  DNSNames: OPERATIONAL,
};

/** Findings about which networks a request names beside its network mode. */
export function checkEndpointNames({ request }: RuleContext): readonly Finding[] {
  const { NetworkMode: mode } = request.hostConfig;
  return Object.entries(request.networkingConfig.EndpointsConfig).flatMap(([name, settings]) => [
    ...unless(!isPredefined(name) || hasNoStaticAddress(settings), bad(STATIC_ADDRESS)),
    ...checkEndpointName({ name, mode, hasAliases: (settings.Aliases ?? []).length > 0 }),
  ]);
}

function hasNoStaticAddress({ IPAMConfig: ipam }: EndpointSettings): boolean {
  return [ipam?.IPv4Address, ipam?.IPv6Address].every((address) => (address ?? '') === '');
}

function checkEndpointName(endpoint: {
  readonly name: string;
  readonly mode: string;
  readonly hasAliases: boolean;
}): readonly Finding[] {
  const { name, mode, hasAliases } = endpoint;
  if (name === 'bridge' && hasAliases) {
    return [bad('network-scoped alias is supported only for containers in user defined networks')];
  }
  if (name === mode) {
    return [];
  }
  if (!NETWORK_NAME.test(name)) {
    return [bad(`invalid network name: ${quote(name)}`)];
  }
  if (isLonely(name) || isLonely(mode) || mode.startsWith('container:')) {
    return [bad('conflicting options: cannot attach both user-defined and non-user-defined network-modes')];
  }
  if (name === 'bridge') {
    return [];
  }
  return unless(FEATURES.userNetworks, {
    kind: 'unsupported',
    message: `network ${name}: user-defined networks are not supported`,
  });
}

function isPredefined(name: string): boolean {
  return name === 'bridge' || isLonely(name);
}

/** Those that no other network can be beside. */
function isLonely(name: string): boolean {
  return name === 'host' || name === 'none';
}
