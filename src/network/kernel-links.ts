import { closeSync, existsSync, openSync } from 'node:fs';

import { EngineError } from '../errors.ts';
import { isErrno, toEngineError } from '../host/errors.ts';
import { readWord, type NetlinkRequest } from '../host/netlink-message.ts';
import type { NetlinkSocket } from '../host/netlink.ts';
import type { NetnsEntry } from '../host/netns.ts';
import {
  deleteLink,
  getLink,
  linkIndexOffset,
  linkName,
  listLinks,
  listRoutes,
  newAddress,
  newBridge,
  newVeth,
  replaceDefaultRoute,
  routeDestination,
  setBridgePort,
  setLinkUp,
  type InterfaceAddress,
} from './link-messages.ts';
import { bindNetns, createNetnsFile, removeNetnsFile, type MountCalls } from './netns-file.ts';

/** A bridge to make. */
export interface BridgeSpec {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  /** Written on the link, so that the broom finds it. */
  readonly alias: string;
  readonly addresses: readonly InterfaceAddress[];
}

/** A container's interface to make, with its place on a bridge. */
export interface InterfaceSpec {
  readonly bridgeName: string;
  /** Name of the bridge's side. */
  readonly veth: string;
  readonly mtu: number;
  /** Its containers reach nobody else on the bridge. */
  readonly isIsolated: boolean;
  readonly name: string;
  readonly mac: string;
  readonly addresses: readonly InterfaceAddress[];
  /** Default gateways, one of a family at most. */
  readonly gateways: readonly string[];
}

/** Links, addresses and routes, changed by the kernel's own messages: no program is started. */
export interface KernelLinks {
  /** A namespace bound to the path, with loopback up. */
  createNetns(path: string): Promise<void>;
  addBridge(netnsPath: string, bridge: BridgeSpec): Promise<void>;
  /** An interface in a container's namespace, on a bridge of another; leaves nothing when it fails. */
  addInterface(
    places: { readonly bridge: string; readonly container: string },
    spec: InterfaceSpec,
  ): Promise<void>;
  /** A pair of links: one in each namespace, both down. Conflict where a name is taken. */
  addPair(
    netnsPath: string,
    name: string,
    peer: { readonly name: string; readonly netnsPath: string },
  ): Promise<void>;
  /** Brings a link up with its addresses, and with a default route where there is a gateway. */
  raise(
    netnsPath: string,
    name: string,
    how: {
      readonly alias?: string;
      readonly addresses: readonly InterfaceAddress[];
      readonly gateways: readonly string[];
    },
  ): Promise<void>;
  /** Makes the gateways the default ones of an interface, instead of those of others. */
  leadOut(netnsPath: string, name: string, gateways: readonly string[]): Promise<void>;
  /** Names of all links, and the blocks of IPv4 that all routing tables have routes to. */
  survey(
    netnsPath: string,
  ): Promise<{ readonly names: ReadonlySet<string>; readonly routed: readonly string[] }>;
  /** One that is not there is no error. */
  removeLink(netnsPath: string, name: string): Promise<void>;
}

const plainMtu = 1500;

interface Kernel {
  readonly netns: NetnsEntry;
  readonly libc: MountCalls;
  readonly isSixQuiet: boolean;
}

/** Links over netlink. */
export function createKernelLinks(netns: NetnsEntry, libc: MountCalls): KernelLinks {
  const kernel = { netns, libc, isSixQuiet: hasSix() };
  return {
    createNetns: (path) => createNetns(kernel, path),
    addBridge: (netnsPath, bridge) => addBridge(kernel, netnsPath, bridge),
    addInterface: (places, spec) => addInterface(kernel, places, spec),
    addPair: (netnsPath, name, peer) =>
      within(kernel, netnsPath, async (socket) => {
        await withNetnsFd(peer.netnsPath, (netnsFd) =>
          socket.request([newVeth({ name, mtu: plainMtu }, { name: peer.name, mtu: plainMtu, netnsFd })]),
        );
      }),
    raise: (netnsPath, name, how) => raise(kernel, { netnsPath, name, ...how }),
    leadOut: (netnsPath, name, gateways) =>
      within(kernel, netnsPath, async (socket) => {
        const index = await indexOf(socket, name);
        await socket.request(gateways.map((gateway) => replaceDefaultRoute(index, gateway)));
      }),
    survey: (netnsPath) => within(kernel, netnsPath, survey),
    removeLink: (netnsPath, name) => removeLink(kernel, netnsPath, name),
  };
}

async function within<T>(
  { netns }: Kernel,
  netnsPath: string,
  work: (socket: NetlinkSocket) => Promise<T>,
): Promise<T> {
  const socket = netns.netlink(netnsPath, 'route');
  try {
    return await work(socket);
  } catch (error) {
    if (isErrno(error, 'EEXIST'))
      throw new EngineError('Conflict', 'a link or an address is there already', { cause: error });
    throw toEngineError(error, 'cannot set up the network');
  } finally {
    socket.close();
  }
}

async function createNetns(kernel: Kernel, path: string): Promise<void> {
  await createNetnsFile(path);
  try {
    kernel.netns.runInNew(() => {
      bindNetns(kernel.libc, '/proc/thread-self/ns/net', path);
    });
    await within(kernel, path, (socket) => socket.request([setLinkUp('lo', { isSixQuiet: false })]));
  } catch (error) {
    await removeNetnsFile(kernel.libc, path);
    throw error;
  }
}

async function addBridge(kernel: Kernel, netnsPath: string, bridge: BridgeSpec): Promise<void> {
  const { name, mac, mtu, alias, addresses } = bridge;
  await within(kernel, netnsPath, (socket) => socket.request([newBridge(name, { mac, mtu })]));
  try {
    await raise(kernel, { netnsPath, name, alias, addresses, gateways: [] });
  } catch (error) {
    await removeLink(kernel, netnsPath, name);
    throw error;
  }
}

async function addInterface(
  kernel: Kernel,
  places: Parameters<KernelLinks['addInterface']>[0],
  spec: InterfaceSpec,
): Promise<void> {
  const { veth, mtu, name, mac, addresses, gateways } = spec;
  await within(kernel, places.bridge, (socket) =>
    withNetnsFd(places.container, (netnsFd) =>
      socket.request([newVeth({ name: veth, mtu }, { name, mtu, mac, netnsFd })]),
    ),
  );
  try {
    await Promise.all([
      within(kernel, places.bridge, (socket) => joinBridge(socket, spec, kernel.isSixQuiet)),
      raise(kernel, { netnsPath: places.container, name, addresses, gateways }),
    ]);
  } catch (error) {
    await removeLink(kernel, places.bridge, veth);
    throw error;
  }
}

interface Raising {
  readonly netnsPath: string;
  readonly name: string;
  readonly alias?: string;
  readonly addresses: readonly InterfaceAddress[];
  readonly gateways: readonly string[];
}

async function raise(
  kernel: Kernel,
  { netnsPath, name, alias, addresses, gateways }: Raising,
): Promise<void> {
  const { isSixQuiet } = kernel;
  await within(kernel, netnsPath, async (socket) => {
    const index = await indexOf(socket, name);
    await socket.request([
      setLinkUp(name, alias === undefined ? { isSixQuiet } : { isSixQuiet, alias }),
      ...addresses.map((address) => newAddress(index, address)),
      ...gateways.map((gateway) => replaceDefaultRoute(index, gateway)),
    ]);
  });
}

async function survey(socket: NetlinkSocket): ReturnType<KernelLinks['survey']> {
  const [links = []] = await socket.request([listLinks()]);
  const [routes = []] = await socket.request([listRoutes()]);
  return {
    names: new Set(links.flatMap((message) => linkName(message) ?? [])),
    routed: routes.flatMap((message) => routeDestination(message) ?? []),
  };
}

async function removeLink(kernel: Kernel, netnsPath: string, name: string): Promise<void> {
  await within(kernel, netnsPath, async (socket) => {
    try {
      await socket.request([deleteLink(name)]);
    } catch (error) {
      if (!isErrno(error, 'ENODEV')) throw error;
    }
  });
}

/** Whether the kernel speaks IPv6 at all. */
export function hasSix(): boolean {
  return existsSync('/proc/sys/net/ipv6');
}

async function joinBridge(socket: NetlinkSocket, spec: InterfaceSpec, isSixQuiet: boolean): Promise<void> {
  const { veth, bridgeName, isIsolated } = spec;
  const master = await indexOf(socket, bridgeName);
  const requests: readonly NetlinkRequest[] = [
    setLinkUp(veth, { master, isSixQuiet }),
    setBridgePort(veth, { isolated: isIsolated }),
  ];
  await socket.request(requests);
}

async function indexOf(socket: NetlinkSocket, name: string): Promise<number> {
  const [told] = await socket.request([getLink(name)]);
  const [message] = told ?? [];
  if (!message) throw new EngineError('Internal', `the kernel does not tell of the link ${name}`);
  return readWord(message, linkIndexOffset);
}

async function withNetnsFd<T>(path: string, work: (netnsFd: number) => Promise<T>): Promise<T> {
  const fd = openSync(path, 'r');
  try {
    return await work(fd);
  } finally {
    closeSync(fd);
  }
}
