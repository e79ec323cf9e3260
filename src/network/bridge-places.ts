import { rm } from 'node:fs/promises';

import { EngineError, messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createAddressPool, type AddressPool } from './address-pool.ts';
import { parseSubnet } from './ipv4.ts';
import { macFromAddress } from './mac-address.ts';
import { createVethName, unclaimedPath } from './names.ts';
import { expectSuccess, type NetTools } from './net-tools.ts';
import { bindNetns, createNetnsFile, removeNetnsFile, type MountCalls } from './netns-file.ts';
import { mayTalk, mtuOf } from './network-options.ts';
import type { NetworkFacts } from './types.ts';
import { createWarmPool } from './warm-pool.ts';

/** An interface on a bridge. */
export interface BridgePlace {
  readonly path: string;
  readonly interfaceName: string;
  readonly address: string;
  readonly macAddress: string;
}

/** What is asked of a place; empty texts stand for the pool's and the address's own. */
export interface PlaceRequest {
  readonly path: string;
  readonly address: string;
  readonly macAddress: string;
}

/** Interfaces on one bridge, and the addresses they hold. */
export interface BridgePlaces {
  /** A namespace bound to the path with `eth0` in it; one without wishes may be had from those made ahead. */
  open(request: PlaceRequest): Promise<BridgePlace>;
  /** One more interface in a namespace that is there. */
  attach(request: PlaceRequest & { readonly interfaceName: string }): Promise<BridgePlace>;
  /** Takes an address that is in use already; false when it cannot be. */
  claimAddress(address: string): boolean;
  releaseAddress(address: string): void;
  /** Waits for what is being made ahead; makes none afterwards. */
  stop(): Promise<void>;
}

/** What namespaces are made with. */
export interface NetnsOptions {
  readonly tools: NetTools;
  readonly libc: MountCalls;
  readonly runDir: string;
  /** The namespace that the bridges are in. */
  readonly netnsPath: string;
  readonly log: Logger;
}

/** A bridge to have places on. */
export interface PlacesOptions extends NetnsOptions {
  readonly network: NetworkFacts;
  /** How many are kept ready once the first was asked for. */
  readonly warmSize: number;
  /** Rules of a new namespace on this network, made beside it. */
  readonly prepare?: (path: string) => Promise<void>;
}

/** A bridge with nobody on it. */
export function createBridgePlaces(options: PlacesOptions): BridgePlaces {
  const { libc, runDir, network, log } = options;
  const addresses = poolOf(network);
  const place = async (
    request: PlaceRequest,
    interfaceName: string,
    fill: (made: BridgePlace) => Promise<void>,
  ): Promise<BridgePlace> => {
    const address = takeAddress(addresses, request.address);
    try {
      const macAddress = request.macAddress || macFromAddress(address);
      const made = { path: request.path, interfaceName, address, macAddress };
      await fill(made);
      return made;
    } catch (error) {
      addresses.release(address);
      throw error;
    }
  };
  const make = (request: PlaceRequest): Promise<BridgePlace> =>
    place(request, 'eth0', (made) => fillNew(options, made));
  const warm = createWarmPool({
    size: options.warmSize,
    make: () => make({ path: unclaimedPath(runDir), address: '', macAddress: '' }),
    onError: (error) => log.warn({ error: messageOf(error) }, 'network namespace not made ahead'),
  });
  return {
    async open(request) {
      const isPlain = request.macAddress === '' && request.address === '';
      const ready = isPlain ? warm.take() : undefined;
      const opened = ready === undefined ? await make(request) : { ...ready, path: request.path };
      if (ready) await rename(libc, ready.path, opened.path);
      // After the caller's own, so as not to compete with it.
      warm.refill();
      return opened;
    },
    attach: (request) => place(request, request.interfaceName, (made) => fillOpen(options, made)),
    claimAddress: (address) => addresses.claim(address),
    releaseAddress: (address) => addresses.release(address),
    async stop() {
      for (const { path } of await warm.close()) await removeNetnsFile(libc, path);
    },
  };
}

function poolOf({ subnet, gateway, auxAddresses, ipRange }: NetworkFacts): AddressPool {
  const range = ipRange === '' ? undefined : parseSubnet(ipRange);
  return createAddressPool(parseSubnet(subnet), [gateway, ...Object.values(auxAddresses)], range);
}

function takeAddress(addresses: AddressPool, wanted: string): string {
  if (wanted === '') return addresses.allocate();
  if (!addresses.claim(wanted)) throw new EngineError('PermissionDenied', 'Address already in use');
  return wanted;
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

async function fillNew(options: PlacesOptions, place: BridgePlace): Promise<void> {
  const { libc, network, prepare } = options;
  const { lines, veth } = interfaceLines(options, place);
  const route = network.isInternal ? [] : [`route add default via ${network.gateway}`];
  await createNetns(options, place.path, ['link set lo up', ...lines, ...route]);
  try {
    await Promise.all([joinBridge(options, veth), prepare?.(place.path)]);
  } catch (error) {
    await removeNetnsFile(libc, place.path);
    throw error;
  }
}

async function fillOpen(options: PlacesOptions, place: BridgePlace): Promise<void> {
  const { tools } = options;
  const { lines, veth } = interfaceLines(options, place);
  const remove = [`link delete ${place.interfaceName}`];
  try {
    await tools.ip({ netns: place.path }, lines);
    await joinBridge(options, veth);
  } catch (error) {
    await tools.ipAnyway({ netns: place.path }, remove);
    throw error;
  }
}

// No IPv6 address by itself: as in Docker, a container has one only where its network does.
function interfaceLines(
  { network, netnsPath }: PlacesOptions,
  place: BridgePlace,
): { readonly lines: readonly string[]; readonly veth: string } {
  const veth = createVethName();
  const { interfaceName: name, macAddress, address } = place;
  const mtu = mtuOf(network);
  return {
    veth,
    lines: [
      `link add ${name} address ${macAddress} mtu ${mtu} type veth peer name ${veth} mtu ${mtu} netns ${netnsPath}`,
      `link set ${name} addrgenmode none up`,
      `addr add ${address}/${parseSubnet(network.subnet).prefixLength} brd + dev ${name}`,
    ],
  };
}

async function joinBridge({ tools, netnsPath, network }: PlacesOptions, veth: string): Promise<void> {
  await tools.ip({ netns: netnsPath }, [
    `link set ${veth} master ${network.bridgeName} addrgenmode none up`,
    // Where the kernel filters bridged frames, a container's way to its own published port is one port twice.
    `link set ${veth} type bridge_slave hairpin on${mayTalk(network) ? '' : ' isolated on'}`,
  ]);
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
