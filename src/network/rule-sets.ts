import { addressBytes } from './address-bytes.ts';
import { formatAddress, lastAddress, parseSubnet } from './ipv4.ts';
import { formatIpv6, lastIpv6, parseIpv6Block } from './ipv6.ts';
import { portBytes } from './resolver-rules.ts';
import type { ElementChange, SetElement } from './rule-messages.ts';
import type { BridgeRules, PortRules } from './rule-tables.ts';

/** The sets and maps of a job's table, with their types as nft writes them. */
export const ruleSets = {
  bridges: 'set bridges { type ifname; }',
  same: 'set same { type ifname . ifname; }',
  internal: 'set internal { type ifname; }',
  subnets: 'set subnets { type ipv4_addr; flags interval; }',
  masqueraded: 'set masqueraded { type ipv4_addr; flags interval; }',
  masqueraded_ipv6: 'set masqueraded_ipv6 { type ipv6_addr; flags interval; }',
  ports_tcp: 'map ports_tcp { type inet_service : ipv4_addr . inet_service; }',
  ports_udp: 'map ports_udp { type inet_service : ipv4_addr . inet_service; }',
  binds_tcp: 'map binds_tcp { type ipv4_addr . inet_service : ipv4_addr . inet_service; }',
  binds_udp: 'map binds_udp { type ipv4_addr . inet_service : ipv4_addr . inet_service; }',
} as const;

/** The name of a set of a job's table. */
export type RuleSet = keyof typeof ruleSets;

/** Elements of the sets, each under the bytes that tell it apart. */
export type RuleElements = ReadonlyMap<string, { readonly set: RuleSet; readonly element: SetElement }>;

/** What the sets hold for bridges and published ports. */
export interface RuleState {
  readonly bridges: readonly BridgeRules[];
  readonly ports: readonly PortRules[];
}

const anyAddress = '0.0.0.0';
const nameBytes = 16;

/** The elements of a state. */
export function elementsOf({ bridges, ports }: RuleState): RuleElements {
  const elements = new Map<string, { readonly set: RuleSet; readonly element: SetElement }>();
  const put = (set: RuleSet, element: SetElement): void => {
    const parts = [element.key, element.data ?? Buffer.alloc(0)].map((bytes) => bytes.toString('hex'));
    elements.set([set, ...parts, String(element.isIntervalEnd)].join('/'), { set, element });
  };
  for (const { name, subnet, ipv6Subnet, isInternal, hasMasquerade } of bridges) {
    const key = paddedName(name);
    put('bridges', { key });
    put('same', { key: Buffer.concat([key, key]) });
    if (isInternal) put('internal', { key });
    for (const element of interval(subnet)) {
      put('subnets', element);
      if (hasMasquerade && !isInternal) put('masqueraded', element);
    }
    if (ipv6Subnet !== undefined && hasMasquerade && !isInternal)
      for (const element of ipv6Interval(ipv6Subnet)) put('masqueraded_ipv6', element);
  }
  for (const { protocol, hostIp, hostPort, address, containerPort } of ports) {
    const data = Buffer.concat([addressBytes(address), paddedPort(containerPort)]);
    if (hostIp === anyAddress) put(`ports_${protocol}`, { key: portBytes(hostPort), data });
    else put(`binds_${protocol}`, { key: Buffer.concat([addressBytes(hostIp), paddedPort(hostPort)]), data });
  }
  return elements;
}

/** What leads from one state's elements to another's. */
export function elementChanges(from: RuleElements, to: RuleElements): readonly ElementChange[] {
  const missing = (a: RuleElements, b: RuleElements, kind: ElementChange['kind']): ElementChange[] => {
    const bySet = new Map<RuleSet, SetElement[]>();
    for (const [key, { set, element }] of a)
      if (!b.has(key)) bySet.set(set, [...(bySet.get(set) ?? []), element]);
    return [...bySet].map(([set, elements]) => ({ kind, set, elements }));
  };
  return [...missing(from, to, 'remove'), ...missing(to, from, 'add')];
}

function interval(subnet: string): readonly SetElement[] {
  const block = parseSubnet(subnet);
  const after = formatAddress(lastAddress(block) + 1);
  return [
    { key: addressBytes(formatAddress(block.base)) },
    { key: addressBytes(after), isIntervalEnd: true },
  ];
}

function ipv6Interval(subnet: string): readonly SetElement[] {
  const block = parseIpv6Block(subnet);
  return [
    { key: addressBytes(formatIpv6(block.base)) },
    { key: addressBytes(formatIpv6(lastIpv6(block) + 1n)), isIntervalEnd: true },
  ];
}

function paddedName(name: string): Buffer {
  const bytes = Buffer.alloc(nameBytes);
  bytes.write(name);
  return bytes;
}

// In a concatenation every part fills words of 32 bits.
function paddedPort(port: number): Buffer {
  return Buffer.concat([portBytes(port), Buffer.alloc(2)]);
}
