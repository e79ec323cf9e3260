import type { EndpointRequest, SandboxMode } from '../../network/types.ts';
import { parseLink } from '../../policy/link-spec.ts';
import type { Container, ContainerRecord } from '../../state/container.ts';
import type { CreateRequest } from '../../wire/create-request.ts';
import type { EndpointSettings } from '../../wire/networking-config.ts';
import type { Job } from '../job.ts';

const SHARED = 'container:';

/** What a client that asks for nothing on a network asks for. */
export const PLAIN_ENDPOINT: EndpointSettings = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: '',
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: '',
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};

/**
 * The networks that a create request asks for, by name where they exist: that of the mode first. As in dockerd, the mode
 * adds none where others are named.
 */
export function initialNetworks(
  job: Job,
  { config, hostConfig, networkingConfig }: CreateRequest,
): Readonly<Record<string, EndpointSettings>> {
  const { NetworkMode: mode } = hostConfig;
  if (mode.startsWith(SHARED) || config.NetworkDisabled === true) return {};
  const nameOf = (ref: string): string =>
    job.network.networks.find(({ id, name }) => name === ref || id === ref)?.name ?? ref;
  const own = nameOf(mode);
  const asked = Object.entries(networkingConfig.EndpointsConfig).map(
    ([ref, settings]) => [nameOf(ref), settings] as const,
  );
  if (asked.length === 0)
    return { [own]: mode === 'bridge' ? PLAIN_ENDPOINT : { ...PLAIN_ENDPOINT, Links: hostConfig.Links } };
  const isOwn = ([name]: readonly [string, EndpointSettings]): boolean => name === own;
  return Object.fromEntries([...asked.filter(isOwn), ...asked.filter((one) => !isOwn(one))]);
}

/** What the others on each of its networks may call the container. */
export function dnsNamesOf(record: ContainerRecord): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.keys(record.networks).map((name) => [name, endpointRequestOf(record, name).dnsNames]),
  );
}

/** What kind of network namespace the container has, and what is in it. */
export function sandboxModeOf({ record }: Container): SandboxMode {
  const { NetworkMode: mode } = record.hostConfig;
  const names = Object.keys(record.networks);
  if (record.config.NetworkDisabled) return { kind: 'none' };
  if (mode.startsWith(SHARED)) return { kind: 'container', containerId: mode.slice(SHARED.length) };
  if (mode === 'host') return { kind: 'job' };
  if (names.length === 0 || names.includes('none')) return { kind: 'none' };
  const [first = '', ...others] = names;
  // As in dockerd, the mode's network comes first; the others have no order of their own.
  const ordered = [first, ...others.sort()];
  return { kind: 'networks', endpoints: ordered.map((name) => endpointRequestOf(record, name)) };
}

/** What the container asks for on one of its networks. */
export function endpointRequestOf(record: ContainerRecord, networkName: string): EndpointRequest {
  const settings = new Map(Object.entries(record.networks)).get(networkName) ?? PLAIN_ENDPOINT;
  const { Hostname: hostname, MacAddress: oldMac = '' } = record.config;
  const {
    IPv4Address: ipAddress = '',
    IPv6Address: ipv6Address = '',
    LinkLocalIPs: linkLocalAddresses = [],
  } = settings.IPAMConfig ?? {};
  const isFirst = Object.keys(record.networks)[0] === networkName;
  const names = [record.name, ...(settings.Aliases ?? []), record.id.slice(0, 12), hostname];
  return {
    networkRef: networkName,
    macAddress: settings.MacAddress || (isFirst ? oldMac : ''),
    ipAddress,
    ipv6Address,
    gwPriority: settings.GwPriority,
    dnsNames: [...new Set(names.filter((name) => name !== ''))],
    links: (settings.Links ?? []).map(parseLink),
    linkLocalAddresses,
  };
}
