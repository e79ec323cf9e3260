import { EngineError } from '../../errors.ts';
import type { PortRequest } from '../../network/types.ts';
import type { ContainerRecord } from '../../state/container.ts';
import type { PortBinding } from '../../wire/host-config.ts';

const EPHEMERAL: PortBinding = { HostIp: '', HostPort: '' };

/** What of the container's ports is to be published: its bindings, and with `-P` every other port it exposes; NotImplemented for one of SCTP. */
export function portRequestsOf({
  config,
  hostConfig,
}: Pick<ContainerRecord, 'config' | 'hostConfig'>): readonly PortRequest[] {
  const asked = new Map(
    Object.entries(hostConfig.PortBindings).map(([port, hosts]) => [withProtocol(port), hosts ?? []]),
  );
  if (hostConfig.PublishAllPorts)
    for (const port of Object.keys(config.ExposedPorts ?? {}).map(withProtocol))
      if ((asked.get(port) ?? []).length === 0) asked.set(port, [EPHEMERAL]);
  return [...asked]
    .flatMap(([port, hosts]) => hosts.map((host) => toRequest(port, host)))
    .sort((a, b) => a.containerPort - b.containerPort);
}

/** The key of a port map with its protocol: `80` is `80/tcp`. */
export function withProtocol(port: string): string {
  return port.includes('/') ? port : `${port}/tcp`;
}

function toRequest(port: string, { HostIp: hostIp, HostPort: hostPort }: PortBinding): PortRequest {
  const [containerPort = '', protocol] = port.split('/', 2);
  const [first = '', last = first] = hostPort.split('-', 2);
  if (protocol !== 'tcp' && protocol !== 'udp')
    throw new EngineError('NotImplemented', 'SCTP ports cannot be published');
  return {
    containerPort: Number(containerPort),
    protocol,
    hostIp,
    firstHostPort: Number(first),
    lastHostPort: Number(last),
  };
}
