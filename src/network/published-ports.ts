import { EngineError, messageOf } from '../errors.ts';
import type { NetnsEntry } from '../host/netns.ts';
import { isErrno } from '../host/errors.ts';
import { readNetSetting } from '../host/net-settings.ts';
import { createPortSockets, type PortSockets, type PortTarget } from './port-sockets.ts';
import { createPortTable, type PortOwner, type PortTable } from './port-table.ts';
import type { PortRules } from './rule-tables.ts';
import type { PortRequest, PublishedPort } from './types.ts';

/** The published ports of a job: who has which, and the sockets that keep them. The rules are the caller's to apply. */
export interface PublishedPorts {
  /** Takes all the ports or none; Conflict in dockerd's words for one that cannot be had. */
  publish(owner: PortOwner, requests: readonly PortRequest[], endpointId: string): readonly PublishedPort[];
  /** Takes over what an earlier process published; what cannot be kept any more is left out. */
  adopt(owner: PortOwner, ports: readonly PublishedPort[]): readonly PublishedPort[];
  /** What a refusal calls the container from now on. */
  rename(containerId: string, containerName: string): void;
  /** True where the rules have to follow. */
  release(containerId: string): boolean;
  /** The ports as the rules need them: only those whose container has an address now. */
  rules(): readonly PortRules[];
  close(): void;
}

/** Where a job's ports are published, and how their containers are found. */
export interface PublishingOptions {
  readonly netns: NetnsEntry;
  readonly netnsPath: string;
  /** Address of a container's endpoint that leads outside; undefined where it has none. */
  readonly addressOf: (containerId: string) => string | undefined;
  readonly maxPorts: number;
}

/** No ports yet. */
export function createPublishedPorts(options: PublishingOptions): PublishedPorts {
  const { netns, netnsPath, addressOf } = options;
  const sockets = createPortSockets(netns, netnsPath);
  const table = createPortTable(ephemeralPorts(netns, netnsPath), options.maxPorts);
  const context = { sockets, table, addressOf };
  const release = (containerId: string): boolean => {
    sockets.release(containerId);
    return table.release(containerId);
  };
  return {
    publish(owner, requests, endpointId) {
      try {
        return requests.flatMap((request) => publishOne(context, owner, request));
      } catch (error) {
        release(owner.containerId);
        throw failure(error, owner, endpointId);
      }
    },
    adopt: (owner, ports) =>
      ports.flatMap((port) => {
        try {
          const { containerPort, protocol, hostIp, hostPort } = port;
          const range = { firstHostPort: hostPort, lastHostPort: hostPort };
          return [claim(context, owner, { containerPort, protocol, hostIp, ...range })];
        } catch {
          return [];
        }
      }),
    rename: (containerId, containerName) => {
      table.rename(containerId, containerName);
    },
    release,
    rules: () =>
      table.list().flatMap(({ owner, ...port }) => {
        const address = addressOf(owner.containerId);
        return address === undefined || port.hostIp.includes(':') ? [] : [{ ...port, address }];
      }),
    close: () => sockets.close(),
  };
}

interface Context {
  readonly sockets: PortSockets;
  readonly table: PortTable;
  readonly addressOf: PublishingOptions['addressOf'];
}

// As in dockerd, a port for all addresses is one of both families, where there are both.
function publishOne(context: Context, owner: PortOwner, request: PortRequest): readonly PublishedPort[] {
  const port = claim(context, owner, request);
  if (request.hostIp !== '') return [port];
  try {
    const { hostPort } = port;
    const twin = { ...request, hostIp: '::', firstHostPort: hostPort, lastHostPort: hostPort };
    return [port, claim(context, owner, twin)];
  } catch {
    return [port];
  }
}

function claim(context: Context, owner: PortOwner, request: PortRequest): PublishedPort {
  const { sockets, table, addressOf } = context;
  const { containerId } = owner;
  return table.claim(owner, request, (port) => {
    if (!port.hostIp.includes(':')) {
      sockets.hold(containerId, port);
      return;
    }
    const target = (): PortTarget | undefined => {
      const address = addressOf(containerId);
      return address === undefined ? undefined : { address, port: port.containerPort };
    };
    if (!sockets.relay(containerId, port, target))
      throw new EngineError(
        'Conflict',
        `listen ${port.protocol}6 [${port.hostIp}]:${port.hostPort}: no relay`,
      );
  });
}

function failure(error: unknown, owner: PortOwner, endpointId: string): EngineError {
  const why = isErrno(error, 'EADDRNOTAVAIL') ? 'cannot assign requested address' : messageOf(error);
  const where = `on endpoint ${owner.containerName} (${endpointId})`;
  const message = `driver failed programming external connectivity ${where}: ${why}`;
  return new EngineError('Conflict', message, { cause: error });
}

function ephemeralPorts(netns: NetnsEntry, netnsPath: string): { first: number; last: number } {
  const [first = 32_768, last = 60_999] = netns
    .run(netnsPath, () => readNetSetting('ipv4/ip_local_port_range'))
    .split(/\s+/)
    .map(Number);
  return { first, last };
}
