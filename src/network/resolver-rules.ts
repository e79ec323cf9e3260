import { requestFlags, type Attribute, type NetlinkRequest } from '../host/netlink-message.ts';
import { addressBytes } from './address-bytes.ts';
import { bigWord, tableFamilies, tableMessage, transaction } from './rule-messages.ts';

// Numbers of linux/netfilter/nf_tables.h.
const messages = { newTable: 0, deleteTable: 2, newChain: 3, newRule: 6 } as const;
const chain = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
const hook = { number: 1, priority: 2 } as const;
const rule = { table: 1, chain: 2, expressions: 4 } as const;
const expression = { name: 1, data: 2 } as const;
const outputHook = 3;
const beforeFilters = -100;
const accept = 1;
const listElement = 1;
const dataValue = 1;
const registers = { first: 1, second: 2 } as const;
const payloadBases = { network: 1, transport: 2 } as const;
const metaProtocol = 16;
const equal = 0;
const destinationNat = 1;
const [destinationAddress, destinationPort] = [16, 2];
const protocols = { udp: 17, tcp: 6 } as const;

const table = 'berth';
const output = 'output';

/** Where a container finds its resolver, and where that one really is. */
export interface ResolverPlace {
  readonly address: string;
  readonly port: number;
}

/**
 * Rules of a container's namespace: port 53 of the address is another port of it, and yet port 53 is the container's
 * own to listen on. Sent as messages, since starting nft would cost more than all the rest of a namespace.
 */
export function resolverRules(place: ResolverPlace): readonly NetlinkRequest[] {
  const create = requestFlags.create;
  const named = (type: number, flags: number): NetlinkRequest =>
    tableMessage(type, tableFamilies.ip, { flags, attributes: [[1, table]] });
  return transaction([
    // Made first, for one that is not there cannot be deleted.
    named(messages.newTable, create),
    named(messages.deleteTable, 0),
    named(messages.newTable, create),
    tableMessage(messages.newChain, tableFamilies.ip, {
      flags: create,
      attributes: [
        [chain.table, table],
        [chain.name, output],
        [
          chain.hook,
          [
            [hook.number, bigWord(outputHook)],
            [hook.priority, bigWord(beforeFilters)],
          ],
        ],
        [chain.policy, bigWord(accept)],
        [chain.type, 'nat'],
      ],
    }),
    ...Object.values(protocols).map((protocol) => redirection(protocol, place)),
  ]);
}

function redirection(protocol: number, { address, port }: ResolverPlace): NetlinkRequest {
  const expressions = [
    ...compare(
      load({ base: payloadBases.network, offset: destinationAddress, length: 4 }),
      addressBytes(address),
    ),
    ...compare(loadMeta(metaProtocol), Buffer.of(protocol)),
    ...compare(load({ base: payloadBases.transport, offset: destinationPort, length: 2 }), portBytes(53)),
    immediate(registers.first, addressBytes(address)),
    immediate(registers.second, portBytes(port)),
    named('nat', [
      [1, bigWord(destinationNat)],
      [2, bigWord(tableFamilies.ip)],
      [3, bigWord(registers.first)],
      [5, bigWord(registers.second)],
    ]),
  ];
  return tableMessage(messages.newRule, tableFamilies.ip, {
    flags: requestFlags.create | requestFlags.append,
    attributes: [
      [rule.table, table],
      [rule.chain, output],
      [rule.expressions, expressions],
    ],
  });
}

function named(name: string, data: readonly Attribute[]): Attribute {
  return [
    listElement,
    [
      [expression.name, name],
      [expression.data, data],
    ],
  ];
}

interface PayloadField {
  readonly base: number;
  readonly offset: number;
  readonly length: number;
}

function load({ base, offset, length }: PayloadField): Attribute {
  return named('payload', [
    [1, bigWord(registers.first)],
    [2, bigWord(base)],
    [3, bigWord(offset)],
    [4, bigWord(length)],
  ]);
}

function loadMeta(key: number): Attribute {
  return named('meta', [
    [1, bigWord(registers.first)],
    [2, bigWord(key)],
  ]);
}

function compare(loaded: Attribute, value: Buffer): readonly Attribute[] {
  return [
    loaded,
    named('cmp', [
      [1, bigWord(registers.first)],
      [2, bigWord(equal)],
      [3, [[dataValue, value]]],
    ]),
  ];
}

function immediate(register: number, value: Buffer): Attribute {
  return named('immediate', [
    [1, bigWord(register)],
    [2, [[dataValue, value]]],
  ]);
}

/** A port in the network's order. */
export function portBytes(port: number): Buffer {
  return Buffer.of(port >> 8, port & 255);
}
