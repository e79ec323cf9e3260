import type { AddressRequest, Endpoint, NetworkFacts, PoolRequest } from '../../network/types.ts';
import type { Container } from '../../state/container.ts';
import type { IpamPool, Network, NetworkContainer } from '../../wire/network.ts';

/** A network as list and inspect show it, with the given containers among its own. */
export function describeNetwork(network: NetworkFacts, containers: readonly Container[]): Network {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.createdAt,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: (network.configuration ?? network).ipv6 !== undefined,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: poolsOf(network.configuration ?? network),
    },
    Internal: network.isInternal,
    Attachable: network.isAttachable,
    Ingress: false,
    ConfigFrom: { Network: network.configFrom ?? '' },
    ConfigOnly: network.configuration !== undefined,
    Containers: Object.fromEntries(
      containers.flatMap((container) => {
        const endpoint = Object.values(container.record.endpoints).find(
          (one) => one.networkId === network.id,
        );
        const isUp = container.record.state.status === 'running';
        return endpoint && isUp ? [[container.id, describeMember(container, endpoint)] as const] : [];
      }),
    ),
    Options: network.name === 'bridge' ? bridgeOptions(network) : network.options,
    Labels: network.labels,
  };
}

function poolsOf({ ipv6, idleIpv6, ...four }: AddressRequest): readonly IpamPool[] {
  return [four, ...(ipv6 ? [ipv6] : []), ...(idleIpv6 ? [idleIpv6] : [])]
    .filter(({ subnet }) => subnet !== '')
    .map(poolOf);
}

function poolOf({ subnet, ipRange, gateway, auxAddresses }: PoolRequest): IpamPool {
  return {
    Subnet: subnet,
    ...(ipRange === '' ? {} : { IPRange: ipRange }),
    ...(gateway === '' ? {} : { Gateway: gateway }),
    ...(Object.keys(auxAddresses).length === 0 ? {} : { AuxiliaryAddresses: auxAddresses }),
  };
}

function describeMember(container: Container, endpoint: Endpoint): NetworkContainer {
  return {
    Name: container.record.name,
    EndpointID: endpoint.endpointId,
    MacAddress: endpoint.macAddress,
    IPv4Address: endpoint.ipAddress === '' ? '' : `${endpoint.ipAddress}/${endpoint.prefixLength}`,
    IPv6Address: endpoint.ipv6 ? `${endpoint.ipv6.address}/${endpoint.ipv6.prefixLength}` : '',
  };
}

function bridgeOptions(network: NetworkFacts): Readonly<Record<string, string>> {
  return {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': 'true',
    'com.docker.network.bridge.enable_ip_masquerade': 'true',
    'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
    'com.docker.network.bridge.name': network.bridgeName,
    'com.docker.network.driver.mtu': '1500',
  };
}
