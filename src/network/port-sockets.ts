import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { createServer, Socket, type Server } from 'node:net';
import { pipeline } from 'node:stream/promises';

import { isErrno } from '../host/errors.ts';
import { relayDatagrams } from './datagram-relay.ts';
import type { NetnsEntry } from '../host/netns.ts';
import type { PublishedPort } from './types.ts';

/** Where a published port leads to. */
export interface PortTarget {
  readonly address: string;
  readonly port: number;
}

/** Sockets in the job's namespace that keep a published port from anybody else there. */
export interface PortSockets {
  /** Throws EADDRINUSE where a process of the job listens already, EADDRNOTAVAIL for an address it does not have. */
  hold(containerId: string, port: PublishedPort): void;
  /** The port's twin on IPv6, which the kernel does not translate to IPv4: a relay. False where it cannot be. */
  relay(containerId: string, port: PublishedPort, target: () => PortTarget | undefined): boolean;
  release(containerId: string): void;
  close(): void;
}

/** Connections that one relay carries at once. */
const maxConnections = 1024;

/** No sockets yet. IPv4 ones are never connected to: the rules lead away before they are asked. */
export function createPortSockets(netns: NetnsEntry, netnsPath: string): PortSockets {
  const held = new Map<string, (() => void)[]>();
  const keep = (containerId: string, close: () => void): void => {
    held.set(containerId, [...(held.get(containerId) ?? []), close]);
  };
  const release = (containerId: string): void => {
    for (const close of held.get(containerId) ?? []) close();
    held.delete(containerId);
  };
  return {
    hold(containerId, port) {
      const { protocol, hostIp: address, hostPort } = port;
      const fd = netns.listen(netnsPath, { protocol, address, port: hostPort });
      keep(containerId, protocol === 'tcp' ? refuseConnections(fd) : dropDatagrams(fd));
    },
    relay(containerId, port, target) {
      const { protocol, hostIp, hostPort } = port;
      try {
        const fd = netns.listen(netnsPath, { protocol, address: hostIp, port: hostPort });
        const open = (): (PortTarget & { readonly fd: number }) | undefined => {
          const now = target();
          const fromFd = now && openOrRefuse(netns, netnsPath, protocol);
          return now && fromFd !== undefined ? { ...now, fd: fromFd } : undefined;
        };
        keep(containerId, protocol === 'tcp' ? relayConnections(fd, open) : relayDatagrams({ fd, open }));
        return true;
      } catch (error) {
        if (isErrno(error, 'EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EADDRINUSE')) return false;
        throw error;
      }
    },
    release,
    close() {
      for (const containerId of held.keys()) release(containerId);
    },
  };
}

/** Undefined where descriptors or memory are used up: that takes a client's way through, and must not take the daemon. */
function openOrRefuse(
  netns: NetnsEntry,
  netnsPath: string,
  protocol: PublishedPort['protocol'],
): number | undefined {
  try {
    return netns.open(netnsPath, { protocol, family: 4 });
  } catch (error) {
    if (isErrno(error, 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM')) return undefined;
    throw error;
  }
}

function refuseConnections(fd: number): () => void {
  const server = createServer((client) => client.destroy()).listen({ fd });
  return closer(server, new Set());
}

function dropDatagrams(fd: number): () => void {
  const socket: DatagramSocket = createSocket('udp4').bind({ fd });
  socket.on('error', () => undefined);
  return () => socket.close();
}

function relayConnections(
  fd: number,
  open: () => (PortTarget & { readonly fd: number }) | undefined,
): () => void {
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const target = clients.size < maxConnections ? open() : undefined;
    const upstream = target && connectTo(target);
    if (!upstream) {
      client.destroy();
      return;
    }
    clients.add(client);
    const isOver = Promise.allSettled([pipeline(client, upstream), pipeline(upstream, client)]);
    void isOver.then(() => {
      client.destroy();
      upstream.destroy();
      clients.delete(client);
    });
  }).listen({ fd });
  return closer(server, clients);
}

function closer(server: Server, clients: ReadonlySet<Socket>): () => void {
  server.on('error', () => undefined);
  return () => {
    server.close();
    for (const client of clients) client.destroy();
  };
}

function connectTo({ fd, port, address }: PortTarget & { readonly fd: number }): Socket {
  const options = { fd, readable: true, writable: true, allowHalfOpen: true, manualStart: true };
  const socket = new Socket(options);
  socket.connect(port, address);
  return socket;
}
