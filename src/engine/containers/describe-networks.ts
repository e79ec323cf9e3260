import type { Endpoint } from '../../network/types.ts';
import type { Container } from '../../state/container.ts';
import type { NetworkSettings, PortMap } from '../../wire/container-inspect.ts';
import type { PortBinding } from '../../wire/host-config.ts';
import type { EndpointSettings } from '../../wire/networking-config.ts';
import type { Job } from '../job.ts';
import { withProtocol } from './port-requests.ts';

const DEFAULT_BRIDGE = 'bridge';

const NO_ENDPOINT: EndpointSettings = {
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

/** `Networks` of a container: what was asked for, with the addresses of the endpoints it has while it runs. */
export function describeNetworks(job: Job, container: Container): Readonly<Record<string, EndpointSettings>> {
  const { record } = container;
  const asked = new Map(Object.entries(record.networks));
  const names = new Set([...asked.keys(), ...Object.keys(record.endpoints)]);
  const isCreated = record.state.status === 'created';
  const networks = [...names].map((name): readonly [string, EndpointSettings] => {
    const facts = job.network.networks.find((network) => network.name === name || network.id === name);
    const shownName = facts?.name ?? name;
    const endpoint = new Map(Object.entries(record.endpoints)).get(shownName);
    return [
      shownName,
      {
        ...NO_ENDPOINT,
        ...asked.get(name),
        NetworkID: isCreated ? '' : (facts?.id ?? ''),
        ...(endpoint && record.state.status === 'running' ? addressesOf(endpoint) : {}),
      },
    ];
  });
  return Object.fromEntries(networks);
}

function addressesOf(endpoint: Endpoint): Partial<EndpointSettings> {
  return {
    NetworkID: endpoint.networkId,
    EndpointID: endpoint.endpointId,
    MacAddress: endpoint.macAddress,
    Gateway: endpoint.gateway,
    IPAddress: endpoint.ipAddress,
    IPPrefixLen: endpoint.prefixLength,
    IPv6Gateway: endpoint.ipv6?.gateway ?? '',
    GlobalIPv6Address: endpoint.ipv6?.address ?? '',
    GlobalIPv6PrefixLen: endpoint.ipv6?.prefixLength ?? 0,
    DNSNames: endpoint.dnsNames.length > 0 ? endpoint.dnsNames : null,
  };
}

/** Ports of a container that runs on a network with addresses; a port that is exposed and not published has null. */
export function describePorts(container: Container): PortMap {
  const { record } = container;
  const isReachable = Object.values(record.endpoints).some((endpoint) => endpoint.ipAddress !== '');
  if (record.state.status !== 'running' || !isReachable) return {};
  const ports = new Map<string, PortBinding[] | null>(
    Object.keys(record.config.ExposedPorts ?? {}).map((port) => [withProtocol(port), null]),
  );
  for (const { containerPort, protocol, hostIp, hostPort } of record.ports) {
    const key = `${containerPort}/${protocol}`;
    ports.set(key, [...(ports.get(key) ?? []), { HostIp: hostIp, HostPort: String(hostPort) }]);
  }
  return Object.fromEntries(ports);
}

/** `NetworkSettings` of inspect; its own address members repeat the default bridge's endpoint, as dockerd's do. */
export function describeNetworkSettings(job: Job, container: Container): NetworkSettings {
  const networks = describeNetworks(job, container);
  const bridge = new Map(Object.entries(networks)).get(DEFAULT_BRIDGE) ?? NO_ENDPOINT;
  return {
    Bridge: '',
    SandboxID: '',
    SandboxKey: '',
    Ports: describePorts(container),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge.EndpointID,
    Gateway: bridge.Gateway,
    GlobalIPv6Address: bridge.GlobalIPv6Address,
    GlobalIPv6PrefixLen: bridge.GlobalIPv6PrefixLen,
    IPAddress: bridge.IPAddress,
    IPPrefixLen: bridge.IPPrefixLen,
    IPv6Gateway: bridge.IPv6Gateway,
    MacAddress: bridge.MacAddress,
    Networks: networks,
  };
}
