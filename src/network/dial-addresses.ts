import { isIPv6, Socket } from 'node:net';

import { EngineError, messageOf } from '../errors.ts';
import { isErrno } from '../host/errors.ts';
import type { NetnsEntry } from '../host/netns.ts';

/** Where the connections of a job begin. */
export interface Dialling {
  readonly netns: NetnsEntry;
  readonly netnsPath: string;
  /** Opens the job's way out for IPv6; false where there is none to open. */
  readonly openIpv6Exit: () => Promise<boolean>;
}

/** What is dialled: addresses in the order of the attempts, at least one. */
export interface DialTarget {
  readonly addresses: readonly string[];
  readonly port: number;
}

/** For all addresses together; each has its part of what is left, but at least the shortest attempt. */
const totalMs = 30_000;
const shortestMs = 2000;

/**
 * Connects from the job's network namespace to the first of the addresses that answers; the socket is the caller's.
 * Unavailable, with what the first attempt ended with, where none does; the signal's reason where it is aborted.
 */
export async function dialAddresses(
  dialling: Dialling,
  { addresses, port }: DialTarget,
  signal: AbortSignal,
): Promise<Socket> {
  const endsAt = performance.now() + totalMs;
  const failures: unknown[] = [];
  for (const [index, address] of addresses.entries()) {
    const remainingMs = endsAt - performance.now();
    if (index > 0 && remainingMs <= 0) break;
    const timeoutMs = Math.max(shortestMs, remainingMs / (addresses.length - index));
    try {
      return await dial(dialling, { address, port, timeoutMs }, signal);
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
    }
  }
  throw new EngineError('Unavailable', messageOf(failures[0]), { cause: failures[0] });
}

interface Attempt {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}

async function dial(dialling: Dialling, attempt: Attempt, signal: AbortSignal): Promise<Socket> {
  try {
    return await connect(dialling, attempt, signal);
  } catch (error) {
    // Without a route it is no address of the job's own networks: it is outside, where most jobs never need IPv6.
    if (!isIPv6(attempt.address) || !isErrno(error, 'ENETUNREACH')) throw error;
    if (!(await dialling.openIpv6Exit())) throw error;
    return connect(dialling, attempt, signal);
  }
}

function connect(
  { netns, netnsPath }: Dialling,
  { address, port, timeoutMs }: Attempt,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const fd = netns.open(netnsPath, { protocol: 'tcp', family: isIPv6(address) ? 6 : 4 });
  const options = { fd, readable: true, writable: true, manualStart: true };
  const socket = new Socket(options);
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      socket.destroy(new Error('aborted'));
    };
    const timer = setTimeout(() => {
      socket.destroy(new Error("i/o timeout: it is down, or forbidden by the job's egress rules"));
    }, timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    socket.once('error', (error) => {
      settle();
      reject(error);
    });
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
    socket.connect(port, address);
  });
}
