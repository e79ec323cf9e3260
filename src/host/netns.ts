import { closeSync, openSync } from 'node:fs';

import { EngineError } from '../errors.ts';
import { toEngineError } from './errors.ts';
import { openNetlinkSocket, type netlinkFamilies, type NetlinkSocket } from './netlink.ts';
import type { NetnsCalls } from './netns-calls.ts';

/** A socket to make in a network namespace; `listen` also starts listening where the protocol has that. */
export interface SocketSpec {
  readonly protocol: 'tcp' | 'udp';
  /** IPv4 in dotted form, or one of the two IPv6 addresses that every namespace has; never both families at once. */
  readonly address: string;
  readonly port: number;
}

/** Entry into network namespaces without a process of its own. */
export interface NetnsEntry {
  /** Runs a section inside the namespace; it must not be asynchronous: nothing else may run there. */
  run<T>(netnsPath: string, section: () => T): T;
  /** Runs a section, under the same condition, inside a namespace that is made for it; who is to keep it must take hold of it there. */
  runInNew<T>(section: () => T): T;
  /** A socket for changes of the namespace, which the caller closes. */
  netlink(netnsPath: string, family: keyof typeof netlinkFamilies): NetlinkSocket;
  /** A bound socket (TCP: listening) of the namespace, as a descriptor that the caller owns; throws errno errors. */
  listen(netnsPath: string, spec: SocketSpec): number;
  /** An unbound socket of the namespace, as a descriptor that the caller owns. */
  open(
    netnsPath: string,
    kind: { readonly protocol: SocketSpec['protocol']; readonly family: 4 | 6 },
  ): number;
}

const families = { 4: 2, 6: 10 } as const;
const types = { tcp: 1, udp: 2 } as const;
const nonblockCloexec = 0o4000 | 0o2000000;
const solSocket = 1;
const soReuseaddr = 2;
const ipprotoIpv6 = 41;
const ipv6V6only = 26;
const backlog = 511;

/** Binds the C library's functions; one entry serves all namespaces, for the thread that made it. */
export async function openNetnsEntry(): Promise<NetnsEntry> {
  const { openNetnsCalls } = await import('./netns-calls.ts');
  const calls = openNetnsCalls();
  const run = createRun(calls);
  const make = (netnsPath: string, protocol: SocketSpec['protocol'], family: 4 | 6): number =>
    run(netnsPath, () => calls.socket(families[family], types[protocol] | nonblockCloexec));
  return {
    run,
    runInNew: createRunInNew(calls),
    netlink: (netnsPath, family) => run(netnsPath, () => openNetlinkSocket(calls, family)),
    open: (netnsPath, { protocol, family }) => make(netnsPath, protocol, family),
    listen(netnsPath, spec) {
      const isV6 = spec.address.includes(':');
      const fd = make(netnsPath, spec.protocol, isV6 ? 6 : 4);
      try {
        if (isV6) calls.setOption(fd, ipprotoIpv6, ipv6V6only);
        // Of UDP it would let two sockets share the port.
        if (spec.protocol === 'tcp') calls.setOption(fd, solSocket, soReuseaddr);
        calls.bind(fd, encodeAddress(spec));
        if (spec.protocol === 'tcp') calls.listen(fd, backlog);
        return fd;
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    },
  };
}

function createRun(calls: NetnsCalls): NetnsEntry['run'] {
  return (netnsPath, section) =>
    elsewhere(calls, section, () => {
      const fd = openNamespace(netnsPath);
      try {
        calls.setns(fd);
      } finally {
        closeSync(fd);
      }
    });
}

function createRunInNew(calls: NetnsCalls): NetnsEntry['runInNew'] {
  return (section) => elsewhere(calls, section, () => calls.unshare());
}

// The way back is held before the way there is gone, and no longer than that: an entry holds nothing.
function elsewhere<T>(calls: NetnsCalls, section: () => T, enter: () => void): T {
  const own = openNamespace('/proc/thread-self/ns/net');
  try {
    enter();
    try {
      return section();
    } finally {
      leave(calls, own);
    }
  } finally {
    closeSync(own);
  }
}

// Staying in a namespace of a job's would hand it everything this thread does next.
function leave(calls: NetnsCalls, own: number): void {
  try {
    calls.setns(own);
  } catch {
    process.abort();
  }
}

function openNamespace(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw toEngineError(error, 'cannot enter a network namespace');
  }
}

// struct sockaddr_in and sockaddr_in6: the family in the machine's order, the rest in the network's.
function encodeAddress({ address, port }: SocketSpec): Buffer {
  const isV6 = address.includes(':');
  const name = Buffer.alloc(isV6 ? 28 : 16);
  name.set(new Uint8Array(Uint16Array.of(isV6 ? families[6] : families[4]).buffer));
  name.writeUInt16BE(port, 2);
  if (!isV6) {
    for (const [index, part] of address.split('.').entries()) name.writeUInt8(Number(part), 4 + index);
    return name;
  }
  if (address !== '::' && address !== '::1')
    throw new EngineError('InvalidArgument', `not an address of every namespace: ${address}`);
  if (address === '::1') name.writeUInt8(1, 23);
  return name;
}
