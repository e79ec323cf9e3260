import { closeSync, existsSync, openSync } from 'node:fs';

import { EngineError } from '../errors.ts';
import { isErrno, toEngineError } from '../host/errors.ts';
import {
  bindNamespace,
  createNamespaceFile,
  removeNamespaceFile,
  type MountCalls,
} from '../host/namespace-file.ts';
import { writeNetSetting } from '../host/net-settings.ts';
import type { NetlinkRequest } from '../host/netlink-message.ts';
import type { NetlinkSocket } from '../host/netlink.ts';
import type { NetnsEntry } from '../host/netns.ts';
import {
  deleteLink,
  linkMac,
  newAddress,
  newBridge,
  newNeighbour,
  newVeth,
  replaceDefaultRoute,
  setBridgePort,
  setLinkUp,
  type InterfaceAddress,
} from './link-messages.ts';
import { indexOf, survey, surveyIpv6, tellOf, type Ipv6Survey, type Survey } from './link-surveys.ts';

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
  /** A namespace bound to the path, with loopback up; without IPv6 not even that has an address of it, as in Docker's containers. */
  createNetns(path: string, options: { readonly hasIpv6: boolean }): Promise<void>;
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
  /** Tells both ends of a pair of links the other's hardware address, under the IP address given for it. */
  introduce(ends: readonly [LinkEnd, LinkEnd]): Promise<void>;
  survey(netnsPath: string): Promise<Survey>;
  surveyIpv6(netnsPath: string): Promise<Ipv6Survey>;
  /** One that is not there is no error. */
  removeLink(netnsPath: string, name: string): Promise<void>;
}

/** One end of a pair of links, with its IP address. */
export interface LinkEnd {
  readonly netnsPath: string;
  readonly name: string;
  readonly address: string;
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
    createNetns: (path, { hasIpv6 }) => createNetns(kernel, path, hasIpv6),
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
    introduce: (ends) => introduce(kernel, ends),
    survey: (netnsPath) => within(kernel, netnsPath, survey),
    surveyIpv6: (netnsPath) => within(kernel, netnsPath, surveyIpv6),
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

async function createNetns(kernel: Kernel, path: string, hasIpv6: boolean): Promise<void> {
  await createNamespaceFile(path);
  try {
    kernel.netns.runInNew(() => {
      bindNamespace(kernel.libc, '/proc/thread-self/ns/net', path);
      if (!hasIpv6 && kernel.isSixQuiet) writeNetSetting('ipv6/conf/all/disable_ipv6', '1');
    });
    await within(kernel, path, (socket) => socket.request([setLinkUp('lo', { isSixQuiet: false })]));
  } catch (error) {
    await removeNamespaceFile(kernel.libc, path);
    throw error;
  }
}

async function addBridge(kernel: Kernel, netnsPath: string, bridge: BridgeSpec): Promise<void> {
  const { name, mac, mtu, alias, addresses } = bridge;
  await within(kernel, netnsPath, (socket) => socket.request([newBridge(name, { mac, mtu })]));
  try {
    // As above; what accepts one here is the job's own namespace, or the host's.
    if (kernel.isSixQuiet)
      kernel.netns.run(netnsPath, () => {
        writeNetSetting(`ipv6/conf/${name}/accept_ra`, '0');
      });
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
    if (addresses.some(({ address: one }) => one.includes(':'))) enableIpv6(kernel, places.container, name);
    await Promise.all([
      within(kernel, places.bridge, (socket) => joinBridge(socket, spec, kernel.isSixQuiet)),
      raise(kernel, { netnsPath: places.container, name, addresses, gateways }),
    ]);
  } catch (error) {
    await removeLink(kernel, places.bridge, veth);
    throw error;
  }
}

// Routers are not listened to: every container of the network could pose as one (CVE-2020-13401).
function enableIpv6({ netns }: Kernel, netnsPath: string, name: string): void {
  netns.run(netnsPath, () => {
    writeNetSetting(`ipv6/conf/${name}/accept_ra`, '0');
    for (const link of ['lo', name]) writeNetSetting(`ipv6/conf/${link}/disable_ipv6`, '0');
  });
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

async function introduce(kernel: Kernel, [one, other]: readonly [LinkEnd, LinkEnd]): Promise<void> {
  const meet = (own: LinkEnd, met: LinkEnd): Promise<void> =>
    within(kernel, own.netnsPath, async (socket) => {
      const mac = linkMac(await within(kernel, met.netnsPath, (there) => tellOf(there, met.name)));
      if (mac === undefined) throw new EngineError('Internal', `the link ${met.name} has no address`);
      await socket.request([newNeighbour(await indexOf(socket, own.name), { address: met.address, mac })]);
    });
  await Promise.all([meet(one, other), meet(other, one)]);
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

async function withNetnsFd<T>(path: string, work: (netnsFd: number) => Promise<T>): Promise<T> {
  const fd = openSync(path, 'r');
  try {
    return await work(fd);
  } finally {
    closeSync(fd);
  }
}
