import { rm } from 'node:fs/promises';

import { messageOf } from '../errors.ts';
import {
  bindNamespace,
  createNamespaceFile,
  removeNamespaceFile,
  type MountCalls,
} from '../host/namespace-file.ts';
import type { Logger } from '../logger.ts';
import { parseSubnet } from './ipv4.ts';
import type { KernelLinks } from './kernel-links.ts';
import { linkLocalOf, macFromAddress } from './mac-address.ts';
import { createVethName, unclaimedPath } from './names.ts';
import { interfacePrefixOf, mayTalk, mtuOf } from './network-options.ts';
import { createPlaceAddresses } from './place-addresses.ts';
import type { Endpoint, Ipv6Endpoint, NetworkFacts } from './types.ts';
import { createWarmPool } from './warm-pool.ts';

/** An interface on a bridge. */
export interface BridgePlace {
  readonly path: string;
  readonly interfaceName: string;
  readonly address: string;
  readonly macAddress: string;
  readonly linkLocalAddresses: readonly string[];
  readonly ipv6?: Ipv6Endpoint;
}

/** What is asked of a place; empty texts stand for the pool's and the address's own. */
export interface PlaceRequest {
  readonly path: string;
  readonly address: string;
  readonly macAddress: string;
  readonly linkLocalAddresses: readonly string[];
  readonly ipv6Address: string;
}

/** Addresses that somebody holds. */
export type HeldAddresses = Pick<Endpoint, 'ipAddress' | 'ipv6'>;

/** Interfaces on one bridge, and the addresses they hold. */
export interface BridgePlaces {
  /** A namespace bound to the path with its first interface in it; one without wishes may be had from those made ahead. */
  open(request: PlaceRequest): Promise<BridgePlace>;
  /** One more interface in a namespace that is there. */
  attach(request: PlaceRequest & { readonly interfaceName: string }): Promise<BridgePlace>;
  /** Takes addresses that are in use already; false when they cannot be. */
  claim(held: HeldAddresses): boolean;
  release(held: HeldAddresses): void;
  /** Waits for what is being made ahead; makes none afterwards. */
  stop(): Promise<void>;
}

/** What namespaces are made with. */
export interface NetnsOptions {
  readonly links: KernelLinks;
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

const linkLocalPrefix = 16;
const ipv6LinkPrefix = 64;
const plainPlace = { address: '', ipv6Address: '', macAddress: '', linkLocalAddresses: [] } as const;

/** A bridge with nobody on it. */
export function createBridgePlaces(options: PlacesOptions): BridgePlaces {
  const { libc, runDir, network, log } = options;
  const addresses = createPlaceAddresses(network);
  const place = async (
    request: PlaceRequest,
    interfaceName: string,
    fill: (made: BridgePlace) => Promise<void>,
  ): Promise<BridgePlace> => {
    const taken = addresses.take(request);
    try {
      const { path, linkLocalAddresses } = request;
      const { ipAddress: address, ipv6 } = taken;
      const macAddress = request.macAddress || macFromAddress(address);
      const made = {
        path,
        interfaceName,
        address,
        macAddress,
        linkLocalAddresses,
        ...(ipv6 ? { ipv6 } : {}),
      };
      await fill(made);
      return made;
    } catch (error) {
      addresses.release(taken);
      throw error;
    }
  };
  const make = (request: PlaceRequest): Promise<BridgePlace> =>
    place(request, `${interfacePrefixOf(network)}0`, (made) => fillNew(options, made));
  const warm = createWarmPool({
    size: options.warmSize,
    make: () => make({ ...plainPlace, path: unclaimedPath(runDir) }),
    onError: (error) => log.warn({ error: messageOf(error) }, 'network namespace not made ahead'),
  });
  return {
    async open(request) {
      const { macAddress, address, ipv6Address, linkLocalAddresses } = request;
      const isPlain = [macAddress, address, ipv6Address, ...linkLocalAddresses].join('') === '';
      const ready = isPlain ? warm.take() : undefined;
      const opened = ready === undefined ? await make(request) : { ...ready, path: request.path };
      if (ready) await rename(libc, ready.path, opened.path);
      // After the caller's own, so as not to compete with it.
      warm.refill();
      return opened;
    },
    attach: (request) => place(request, request.interfaceName, (made) => addInterface(options, made, [])),
    claim: (held) => addresses.claim(held),
    release: (held) => {
      addresses.release(held);
    },
    async stop() {
      for (const { path } of await warm.close()) await removeNamespaceFile(libc, path);
    },
  };
}

async function fillNew(options: PlacesOptions, place: BridgePlace): Promise<void> {
  const { libc, links, network, prepare } = options;
  await links.createNetns(place.path, { hasIpv6: false });
  try {
    const gateways = [network.isInternal ? '' : network.gateway, place.ipv6?.gateway ?? ''].filter(
      (one) => one !== '',
    );
    await Promise.all([addInterface(options, place, gateways), prepare?.(place.path)]);
  } catch (error) {
    await removeNamespaceFile(libc, place.path);
    throw error;
  }
}

function addInterface(
  { links, network, netnsPath }: PlacesOptions,
  place: BridgePlace,
  gateways: readonly string[],
): Promise<void> {
  const { path, interfaceName: name, macAddress: mac, address } = place;
  const { prefixLength } = parseSubnet(network.subnet);
  return links.addInterface(
    { bridge: netnsPath, container: path },
    {
      bridgeName: network.bridgeName,
      veth: createVethName(),
      mtu: mtuOf(network),
      isIsolated: !mayTalk(network),
      name,
      mac,
      addresses: [
        { address, prefixLength },
        ...(place.ipv6 ? [place.ipv6, { address: linkLocalOf(mac), prefixLength: ipv6LinkPrefix }] : []),
        ...place.linkLocalAddresses.map((one) => ({ address: one, prefixLength: linkLocalPrefix })),
      ],
      gateways,
    },
  );
}

// A mounted-on file cannot be renamed: the namespace gets its second name before it loses the first. One that
// cannot get it stays as it is until the job's end, and its address stays taken.
async function rename(libc: MountCalls, from: string, to: string): Promise<void> {
  await createNamespaceFile(to);
  try {
    bindNamespace(libc, from, to);
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
  await removeNamespaceFile(libc, from);
}
