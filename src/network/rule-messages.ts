import {
  encodeAttributes,
  requestFlags,
  type Attribute,
  type NetlinkRequest,
} from '../host/netlink-message.ts';

// Numbers of linux/netfilter/nfnetlink.h and nf_tables.h; theirs are all in the network's order.
const nftables = 10;
const batch = { begin: 0x10, end: 0x11 } as const;
const tableMessages = { add: 0, remove: 2 } as const;
const elementMessages = { add: 12, remove: 14 } as const;
const elementList = { table: 1, set: 2, elements: 3 } as const;
const element = { key: 1, data: 2, flags: 3 } as const;
const getChainMessage = 4;
const chainOf = { table: 1, name: 3 } as const;
const listElement = 1;
const dataValue = 1;
const intervalEnd = 1;

/** Families of tables. */
export const tableFamilies = { inet: 1, ip: 2, ip6: 10 } as const;
type TableFamily = (typeof tableFamilies)[keyof typeof tableFamilies];

/** One element of a set, or of a map where it has data. */
export interface SetElement {
  readonly key: Buffer;
  readonly data?: Buffer;
  /** Its key is the first one after an interval. */
  readonly isIntervalEnd?: boolean;
}

/** Elements that go into or out of one set of a table. */
export interface ElementChange {
  readonly kind: keyof typeof elementMessages;
  readonly set: string;
  readonly elements: readonly SetElement[];
}

/** 32 bits as nftables has them. */
export function bigWord(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** One message about tables, to be put into a transaction. */
export function tableMessage(
  type: number,
  family: TableFamily,
  content: { readonly flags?: number; readonly attributes: readonly Attribute[] },
): NetlinkRequest {
  return {
    type: (nftables << 8) | type,
    flags: requestFlags.request | requestFlags.ack | (content.flags ?? 0),
    body: Buffer.concat([generation(family, 0), encodeAttributes(content.attributes)]),
  };
}

/** Asks for a chain; ENOENT where there is none. */
export function getChain(family: TableFamily, table: string, name: string): NetlinkRequest {
  return tableMessage(getChainMessage, family, {
    attributes: [
      [chainOf.table, table],
      [chainOf.name, name],
    ],
  });
}

/** A transaction that removes a table, whether it is there or not. */
export function removeTable(family: TableFamily, name: string): readonly NetlinkRequest[] {
  const attributes: readonly Attribute[] = [[1, name]];
  return transaction([
    // Made first, for one that is not there cannot be deleted.
    tableMessage(tableMessages.add, family, { flags: requestFlags.create, attributes }),
    tableMessage(tableMessages.remove, family, { attributes }),
  ]);
}

/** All of the messages take effect, or none. */
export function transaction(messages: readonly NetlinkRequest[]): readonly NetlinkRequest[] {
  const mark = (type: number): NetlinkRequest => ({
    type,
    flags: requestFlags.request,
    body: generation(0, nftables),
  });
  return [mark(batch.begin), ...messages, mark(batch.end)];
}

/** Changes of sets of one table, removals first. */
export function changeElements(table: string, changes: readonly ElementChange[]): readonly NetlinkRequest[] {
  const ordered = [...changes].sort((a, b) => Number(a.kind === 'add') - Number(b.kind === 'add'));
  return ordered
    .filter(({ elements }) => elements.length > 0)
    .map(({ kind, set, elements }) =>
      tableMessage(elementMessages[kind], tableFamilies.inet, {
        flags: kind === 'add' ? requestFlags.create : 0,
        attributes: [
          [elementList.table, table],
          [elementList.set, set],
          [elementList.elements, elements.map((one) => [listElement, encodeElement(one, kind)] as const)],
        ],
      }),
    );
}

function encodeElement(
  { key, data, isIntervalEnd }: SetElement,
  kind: ElementChange['kind'],
): readonly Attribute[] {
  return [
    [element.key, [[dataValue, key]]],
    ...(data === undefined || kind === 'remove' ? [] : [[element.data, [[dataValue, data]]] as const]),
    ...(isIntervalEnd === true ? [[element.flags, bigWord(intervalEnd)] as const] : []),
  ];
}

function generation(family: number, resource: number): Buffer {
  return Buffer.of(family, 0, resource >> 8, resource & 255);
}
