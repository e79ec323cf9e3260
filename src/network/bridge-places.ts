import { rm } from 'node:fs/promises';

import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createAddressPool } from './address-pool.ts';
import { parseSubnet } from './ipv4.ts';
import { macFromAddress } from './mac-address.ts';
import { createVethName, unclaimedPath } from './names.ts';
import { expectSuccess, type NetTools } from './net-tools.ts';
import { bindNetns, createNetnsFile, removeNetnsFile, type MountCalls } from './netns-file.ts';
import type { Foundation } from './network-state.ts';
import { createWarmPool } from './warm-pool.ts';

/** A namespace whose `eth0` is on the default bridge. */
export interface BridgePlace {
  readonly path: string;
  readonly address: string;
  readonly macAddress: string;
}

/** Namespaces on a job's default bridge, and the addresses they hold. */
export interface BridgePlaces {
  /** A namespace bound to `path`; an empty MAC stands for the address's own, and may be had from the ones made ahead. */
  open(path: string, macAddress: string): Promise<BridgePlace>;
  /** Takes an address that is in use already; false when it cannot be. */
  claimAddress(address: string): boolean;
  releaseAddress(address: string): void;
  /** Waits for what is being made ahead; makes none afterwards. */
  stop(): Promise<void>;
}

/** What namespaces are made with and in. */
export interface NetnsOptions {
  readonly tools: NetTools;
  readonly libc: MountCalls;
  readonly runDir: string;
  readonly foundation: Foundation;
  readonly log: Logger;
  /** How many are kept ready once the first was asked for. */
  readonly warmSize: number;
}

/** The default bridge with nobody on it. */
export function createBridgePlaces(options: NetnsOptions): BridgePlaces {
  const { libc, runDir, foundation, log } = options;
  const subnet = parseSubnet(foundation.bridge.subnet);
  const addresses = createAddressPool(subnet, [foundation.bridge.gateway]);
  const make = async (path: string, macAddress: string): Promise<BridgePlace> => {
    const address = addresses.allocate();
    try {
      const place = { path, address, macAddress: macAddress || macFromAddress(address) };
      await attach(options, place, subnet.prefixLength);
      return place;
    } catch (error) {
      addresses.release(address);
      throw error;
    }
  };
  const warm = createWarmPool({
    size: options.warmSize,
    make: () => make(unclaimedPath(runDir), ''),
    onError: (error) => log.warn({ error: messageOf(error) }, 'network namespace not made ahead'),
  });
  return {
    async open(path, macAddress) {
      const ready = macAddress === '' ? warm.take() : undefined;
      const place = ready === undefined ? await make(path, macAddress) : { ...ready, path };
      if (ready) await rename(libc, ready.path, path);
      // After the caller's own, so as not to compete with it.
      warm.refill();
      return place;
    },
    claimAddress: (address) => addresses.claim(address),
    releaseAddress: (address) => addresses.release(address),
    async stop() {
      await warm.close();
    },
  };
}

/** Makes a namespace bound to the path and runs the lines of `ip` inside; leaves nothing when one fails. */
export async function createNetns(
  { tools, libc }: NetnsOptions,
  path: string,
  lines: readonly string[],
): Promise<void> {
  await createNetnsFile(path);
  try {
    expectSuccess(await tools.ipInNew(path, lines), 'ip');
  } catch (error) {
    await removeNetnsFile(libc, path);
    throw error;
  }
}

// No IPv6 address by itself: as in Docker, a container has one only where its network does.
async function attach(options: NetnsOptions, place: BridgePlace, prefixLength: number): Promise<void> {
  const { tools, libc, foundation } = options;
  const { bridge, netnsPath } = foundation;
  const veth = createVethName();
  await createNetns(options, place.path, [
    'link set lo up',
    `link add eth0 address ${place.macAddress} type veth peer name ${veth} netns ${netnsPath}`,
    'link set eth0 addrgenmode none up',
    `addr add ${place.address}/${prefixLength} brd + dev eth0`,
    `route add default via ${bridge.gateway}`,
  ]);
  try {
    await tools.ip({ netns: netnsPath }, [
      `link set ${veth} master ${bridge.name} addrgenmode none up`,
      // Where the kernel filters bridged frames, a container's way to its own published port is one port twice.
      `link set ${veth} type bridge_slave hairpin on`,
    ]);
  } catch (error) {
    await removeNetnsFile(libc, place.path);
    throw error;
  }
}

// A mounted-on file cannot be renamed: the namespace gets its second name before it loses the first. One that
// cannot get it stays as it is until the job's end, and its address stays taken.
async function rename(libc: MountCalls, from: string, to: string): Promise<void> {
  await createNetnsFile(to);
  try {
    bindNetns(libc, from, to);
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
  await removeNetnsFile(libc, from);
}
