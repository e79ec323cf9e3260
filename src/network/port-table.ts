import { EngineError, limitReached } from '../errors.ts';
import type { PortProtocol, PortRequest, PublishedPort } from './types.ts';

/** Who publishes a port. */
export interface PortOwner {
  readonly containerId: string;
  readonly containerName: string;
}

/** Which ports of the job's namespace are published, and by whom. */
export interface PortTable {
  /** Takes one port of the request for which `hold` does not throw EADDRINUSE; Conflict when there is none. */
  claim(owner: PortOwner, request: PortRequest, hold: (port: PublishedPort) => void): PublishedPort;
  /** What a refusal calls the container from now on. */
  rename(containerId: string, containerName: string): void;
  /** True where it had any. */
  release(containerId: string): boolean;
  list(): readonly (PublishedPort & { readonly owner: PortOwner })[];
}

const anyAddress = '0.0.0.0';

/** Ports from the first to the last one. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** An empty table for so many ports; those of nobody's choice come from `ephemeral`, one after the other, as dockerd hands them out. */
export function createPortTable(ephemeral: PortRange, maxPorts: number): PortTable {
  const taken = new Map<string, (PublishedPort & { readonly owner: PortOwner })[]>();
  let next = ephemeral.first;
  let count = 0;
  const keyOf = (protocol: PortProtocol, port: number): string => `${protocol}/${port}`;
  const holderOf = (port: PublishedPort): PortOwner | undefined =>
    taken.get(keyOf(port.protocol, port.hostPort))?.find((other) => overlaps(other.hostIp, port.hostIp))
      ?.owner;
  const take = (owner: PortOwner, port: PublishedPort): PublishedPort => {
    const key = keyOf(port.protocol, port.hostPort);
    taken.set(key, [...(taken.get(key) ?? []), { ...port, owner }]);
    count += 1;
    return port;
  };
  function* nextEphemeral(): Generator<number> {
    for (let step = ephemeral.first; step <= ephemeral.last; step += 1) {
      const port = next;
      next = next >= ephemeral.last ? ephemeral.first : next + 1;
      yield port;
    }
  }
  return {
    claim(owner, request, hold) {
      if (count >= maxPorts) throw limitReached('ports', maxPorts);
      let refusal: EngineError | undefined;
      const { containerPort, protocol } = request;
      const candidates = request.firstHostPort === 0 ? nextEphemeral() : portsOf(request);
      for (const hostPort of candidates) {
        const port = { containerPort, protocol, hostIp: request.hostIp || anyAddress, hostPort };
        const holder = holderOf(port);
        if (holder === undefined) {
          try {
            hold(port);
            return take(owner, port);
          } catch (error) {
            if (!isAddressInUse(error)) throw error;
            refusal ??= inUse(port, error);
          }
        } else refusal ??= allocated(port, holder);
      }
      throw refusal ?? new EngineError('Unavailable', 'all ports are allocated');
    },
    rename: (containerId, containerName) => {
      renameOwner(taken, { containerId, containerName });
    },
    release(containerId) {
      const before = count;
      for (const [key, ports] of taken) {
        const kept = ports.filter(({ owner }) => owner.containerId !== containerId);
        count -= ports.length - kept.length;
        if (kept.length > 0) taken.set(key, kept);
        else taken.delete(key);
      }
      return count < before;
    },
    list: () => [...taken.values()].flat(),
  };
}

function* portsOf({ firstHostPort: first, lastHostPort: last }: PortRequest): Generator<number> {
  for (let port = first; port <= last; port += 1) yield port;
}

function renameOwner<T extends { readonly owner: PortOwner }>(
  taken: Map<string, T[]>,
  owner: PortOwner,
): void {
  for (const [key, ports] of taken) {
    const renamed = ports.map((port) =>
      port.owner.containerId === owner.containerId ? { ...port, owner } : port,
    );
    taken.set(key, renamed);
  }
}

function overlaps(a: string, b: string): boolean {
  if (a.includes(':') !== b.includes(':')) return false;
  return a === b || [a, b].some((one) => one === anyAddress || one === '::');
}

function allocated({ hostIp, hostPort }: PublishedPort, holder: PortOwner): EngineError {
  return new EngineError(
    'Conflict',
    `Bind for ${hostIp}:${hostPort} failed: port is already allocated (by container ${holder.containerName})`,
  );
}

function inUse({ protocol, hostIp, hostPort }: PublishedPort, cause: unknown): EngineError {
  const message = `listen ${protocol}4 ${hostIp}:${hostPort}: bind: address already in use`;
  return new EngineError('Conflict', `Error starting userland proxy: ${message}`, { cause });
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
