import {
  encodeAttributes,
  halfWord,
  readAttribute,
  requestFlags,
  word,
  type Attribute,
  type NetlinkRequest,
} from '../host/netlink-message.ts';
import { addressBytes, formatSix } from './address-bytes.ts';

// Numbers of linux/rtnetlink.h, if_link.h, if_addr.h and veth.h.
const types = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  newAddress: 20,
  newRoute: 24,
  getRoute: 26,
  newNeighbour: 28,
} as const;
const link = {
  address: 1,
  name: 3,
  mtu: 4,
  master: 10,
  info: 18,
  alias: 20,
  familyOptions: 26,
  netnsFd: 28,
} as const;
const info = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 } as const;
const families = { inet: 2, inet6: 10 } as const;
const addressGeneration = { attribute: 8, none: 1 } as const;
const bridgePort = { hairpin: 4, isolated: 33 } as const;
const vethPeer = 1;
const isUp = 1;
const noDuplicateCheck = 0x02;
const mainTable = 254;
const byBoot = 3;
const unicast = 1;

const change = requestFlags.request | requestFlags.ack;
const create = change | requestFlags.create | requestFlags.exclusive;

/** One end of a pair of links. */
export interface VethEnd {
  readonly name: string;
  readonly mtu: number;
}

/** An address of an interface, with the length of its network's prefix. */
export interface InterfaceAddress {
  readonly address: string;
  readonly prefixLength: number;
}

/** Makes a bridge, down. */
export function newBridge(
  name: string,
  options: { readonly mac: string; readonly mtu: number },
): NetlinkRequest {
  return linkRequest(types.newLink, create, {
    attributes: [
      [link.name, name],
      [link.address, macBytes(options.mac)],
      [link.mtu, options.mtu],
      [link.info, [[info.kind, Buffer.from('bridge')]]],
    ],
  });
}

/** Makes a pair of links, both down; the peer is in the namespace of the descriptor. */
export function newVeth(
  own: VethEnd,
  peer: VethEnd & { readonly mac?: string; readonly netnsFd: number },
): NetlinkRequest {
  const other = Buffer.concat([
    linkHeader(),
    encodeAttributes([
      [link.name, peer.name],
      [link.mtu, peer.mtu],
      ...(peer.mac === undefined ? [] : [[link.address, macBytes(peer.mac)] as const]),
      [link.netnsFd, peer.netnsFd],
    ]),
  ]);
  return linkRequest(types.newLink, create, {
    attributes: [
      [link.name, own.name],
      [link.mtu, own.mtu],
      [
        link.info,
        [
          [info.kind, Buffer.from('veth')],
          [info.data, [[vethPeer, other]]],
        ],
      ],
    ],
  });
}

/** What can be changed of a link that is there; all of them come up. */
export interface LinkChange {
  readonly master?: number;
  readonly alias?: string;
  /** Gives it no IPv6 address of its own; only a kernel with IPv6 takes that. */
  readonly isSixQuiet: boolean;
}

/** Brings a link up. */
export function setLinkUp(name: string, { master, alias, isSixQuiet }: LinkChange): NetlinkRequest {
  return linkRequest(types.newLink, change, {
    isUp: true,
    attributes: [
      [link.name, name],
      ...(master === undefined ? [] : [[link.master, master] as const]),
      ...(alias === undefined ? [] : [[link.alias, alias] as const]),
      ...(isSixQuiet ? [[link.familyOptions, quietSix] as const] : []),
    ],
  });
}

const quietSix: readonly Attribute[] = [
  [families.inet6, [[addressGeneration.attribute, Buffer.of(addressGeneration.none)]]],
];

/** Sets a bridge's port, after it has become one. */
export function setBridgePort(name: string, { isolated }: { readonly isolated: boolean }): NetlinkRequest {
  const options: readonly Attribute[] = [
    // Where the kernel filters bridged frames, a container's way to its own published port is one port twice.
    [bridgePort.hairpin, Buffer.of(1)],
    [bridgePort.isolated, Buffer.of(isolated ? 1 : 0)],
  ];
  return linkRequest(types.newLink, change, {
    attributes: [
      [link.name, name],
      [
        link.info,
        [
          [info.slaveKind, Buffer.from('bridge')],
          [info.slaveData, options],
        ],
      ],
    ],
  });
}

/** Removes a link, and with it the other end of a pair. */
export function deleteLink(name: string): NetlinkRequest {
  return linkRequest(types.delLink, change, { attributes: [[link.name, name]] });
}

/** Asks for a link; the answer has its number at `linkIndexOffset`. */
export function getLink(name: string): NetlinkRequest {
  return linkRequest(types.getLink, change, { attributes: [[link.name, name]] });
}

/** Asks for all links. */
export function listLinks(): NetlinkRequest {
  return { type: types.getLink, flags: requestFlags.request | requestFlags.dump, body: linkHeader() };
}

/** The name in a link's message. */
export function linkName(message: Buffer): string | undefined {
  return readAttribute(message, linkHeaderBytes, link.name)?.toString('utf8').replace(/\0$/, '');
}

/** Asks for the routes of a family in all tables. */
export function listRoutes(family: keyof typeof families): NetlinkRequest {
  const header = Buffer.concat([Buffer.of(families[family], 0, 0, 0, 0, 0, 0, 0), word(0)]);
  return { type: types.getRoute, flags: requestFlags.request | requestFlags.dump, body: header };
}

/** Where a route's message leads, as `address/length`; undefined for a default route. */
export function routeDestination(message: Buffer): string | undefined {
  const destination = readAttribute(message, routeHeaderBytes, rta.destination);
  if (destination === undefined) return undefined;
  const text = destination.length === 4 ? destination.join('.') : formatSix(destination);
  return `${text}/${message[1] ?? destination.length * 8}`;
}

/** Whether a route's message is of one that leads everywhere else, and not of one that refuses it. */
export function isDefaultRoute(message: Buffer): boolean {
  return message[1] === 0 && message[routeType] === unicast;
}

/** The hardware address in a link's message. */
export function linkMac(message: Buffer): string | undefined {
  const bytes = readAttribute(message, linkHeaderBytes, link.address);
  return bytes && [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Says for good which hardware address an IP address has, so that nobody on the link is asked. */
export function newNeighbour(
  index: number,
  { address, mac }: { readonly address: string; readonly mac: string },
): NetlinkRequest {
  const bytes = addressBytes(address);
  const family = bytes.length === 4 ? families.inet : families.inet6;
  const header = Buffer.concat([
    Buffer.of(family, 0, 0, 0),
    word(index),
    halfWord(isPermanent),
    Buffer.alloc(2),
  ]);
  const attributes = encodeAttributes([
    [nda.destination, bytes],
    [nda.linkAddress, macBytes(mac)],
  ]);
  return {
    type: types.newNeighbour,
    flags: change | requestFlags.create | requestFlags.replace,
    body: Buffer.concat([header, attributes]),
  };
}

const nda = { destination: 1, linkAddress: 2 } as const;
const isPermanent = 0x80;

const linkHeaderBytes = 16;
const routeHeaderBytes = 12;
const routeType = 7;

/** Where a link's message has its number. */
export const linkIndexOffset = 4;

/** Gives an interface an address; one of IPv6 is used at once, for nobody else can have it. */
export function newAddress(index: number, { address, prefixLength }: InterfaceAddress): NetlinkRequest {
  const bytes = addressBytes(address);
  const isInet = bytes.length === 4;
  const header = Buffer.concat([
    Buffer.of(isInet ? families.inet : families.inet6, prefixLength, isInet ? 0 : noDuplicateCheck, 0),
    word(index),
  ]);
  const attributes: readonly Attribute[] = [
    [ifa.local, bytes],
    [ifa.address, bytes],
    ...(isInet && prefixLength < 31 ? [[ifa.broadcast, broadcastOf(bytes, prefixLength)] as const] : []),
  ];
  return {
    type: types.newAddress,
    flags: create,
    body: Buffer.concat([header, encodeAttributes(attributes)]),
  };
}

const ifa = { address: 1, local: 2, broadcast: 4 } as const;

/** Makes a gateway the default one of its family, instead of the one there is. */
export function replaceDefaultRoute(index: number, gateway: string): NetlinkRequest {
  const bytes = addressBytes(gateway);
  const family = bytes.length === 4 ? families.inet : families.inet6;
  const header = Buffer.concat([Buffer.of(family, 0, 0, 0, mainTable, byBoot, 0, unicast), word(0)]);
  const attributes = encodeAttributes([
    [rta.gateway, bytes],
    [rta.outInterface, index],
  ]);
  return {
    type: types.newRoute,
    flags: change | requestFlags.create | requestFlags.replace,
    body: Buffer.concat([header, attributes]),
  };
}

const rta = { destination: 1, outInterface: 4, gateway: 5 } as const;

function linkRequest(
  type: number,
  flags: number,
  parts: { readonly isUp?: boolean; readonly attributes: readonly Attribute[] },
): NetlinkRequest {
  const body = Buffer.concat([linkHeader(parts.isUp), encodeAttributes(parts.attributes)]);
  return { type, flags, body };
}

function linkHeader(up = false): Buffer {
  const flags = up ? isUp : 0;
  return Buffer.concat([Buffer.alloc(2), halfWord(0), word(0), word(flags), word(flags)]);
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function broadcastOf(address: Buffer, prefixLength: number): Buffer {
  const bits = address.readUInt32BE(0);
  const last = Buffer.alloc(4);
  last.writeUInt32BE(bits - (bits % 2 ** (32 - prefixLength)) + 2 ** (32 - prefixLength) - 1);
  return last;
}
