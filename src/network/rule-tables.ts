import { egressRules, resolverRules, type Egress } from './egress.ts';
import { uplinkPrefix } from './names.ts';
import { ruleSets, type RuleSet } from './rule-sets.ts';
import { uplinkIpv6 } from './slots.ts';

/** A bridge as the rules of its namespace see it. */
export interface BridgeRules {
  readonly name: string;
  /** `address/length`. */
  readonly subnet: string;
  /** Where it has IPv6, as `subnet`. */
  readonly ipv6Subnet?: string;
  /** Nothing but its own containers and the job's namespace is reached from it. */
  readonly isInternal: boolean;
  /** What leaves it does so under the job's address. */
  readonly hasMasquerade: boolean;
}

/** A published port as the rules see it: an IPv4 address and port of the job's namespace, and where it leads. */
export interface PortRules {
  readonly protocol: 'tcp' | 'udp';
  readonly hostIp: string;
  readonly hostPort: number;
  readonly address: string;
  readonly containerPort: number;
}

/** What the host's side of an uplink is told apart by. */
export interface UplinkRules {
  readonly hostLink: string;
  readonly jobAddress: string;
}

/** How a job's traffic may leave; resolvers are IPv4 addresses that answer DNS. */
export interface EgressRules {
  readonly egress: Egress;
  readonly resolvers: readonly string[];
}

const established = 'ct state established,related accept';

/** The whole table of an uplink in the host's namespace, replacing what the job had there: the job's only way out, and nobody's way in. */
export function uplinkTable(mark: string, uplink: UplinkRules, { egress, resolvers }: EgressRules): string {
  const { hostLink, jobAddress } = uplink;
  const { jobAddress: jobIpv6 } = uplinkIpv6(hostLink);
  const dns = resolverRules(egress, resolvers);
  return table(mark, {
    egress: egressRules(egress),
    // Before destination NAT, so that the host's port forwards do not turn a forbidden address into an allowed one.
    prerouting: [
      'type filter hook prerouting priority mangle; policy accept;',
      `iifname != "${hostLink}" accept`,
      `ip saddr != ${jobAddress} drop`,
      `ip6 saddr != ${jobIpv6} drop`,
      established,
      'ct state invalid drop',
      ...dns,
      'fib daddr type != unicast drop',
      'jump egress',
    ],
    input: [
      'type filter hook input priority filter - 1; policy accept;',
      `iifname != "${hostLink}" accept`,
      established,
      ...dns,
      'drop',
    ],
    forward: [
      'type filter hook forward priority filter - 1; policy accept;',
      `iifname != "${hostLink}" oifname != "${hostLink}" accept`,
      `oifname "${uplinkPrefix}*" iifname "${uplinkPrefix}*" drop`,
      established,
      `oifname "${hostLink}" drop`,
      ...dns,
      'jump egress',
    ],
    postrouting: [
      'type nat hook postrouting priority srcnat; policy accept;',
      `ip saddr ${jobAddress} oifname != "${hostLink}" masquerade`,
      `ip6 saddr ${jobIpv6} oifname != "${hostLink}" masquerade`,
    ],
  });
}

/** What the table of the bridges' namespace begins with; later changes are messages about its sets. */
export interface BridgeTable {
  readonly mark: string;
  readonly bridges: readonly BridgeRules[];
  /** Where no uplink's table rules on what leaves. */
  readonly exit?: EgressRules;
}

/** The whole table of the namespace the bridges are in. */
export function bridgeTable({ mark, bridges, exit }: BridgeTable): string {
  const leaving = exit ? [...resolverRules(exit.egress, exit.resolvers), 'jump egress'] : [];
  return table(
    mark,
    {
      ...(exit ? { egress: egressRules(exit.egress) } : {}),
      // The bridges route to loopback, for ports published there: from outside of this namespace nobody may use that.
      guard: [
        'type filter hook prerouting priority raw; policy accept;',
        'iifname @bridges ip daddr 127.0.0.0/8 drop',
      ],
      publish: (['tcp', 'udp'] as const).flatMap((protocol) => [
        `dnat ip to ip daddr . ${protocol} dport map @binds_${protocol}`,
        `fib daddr type local dnat ip to ${protocol} dport map @ports_${protocol}`,
      ]),
      prerouting: ['type nat hook prerouting priority dstnat; policy accept;', 'jump publish'],
      output: ['type nat hook output priority -100; policy accept;', 'jump publish'],
      forward: [
        'type filter hook forward priority filter - 1; policy accept;',
        'iifname != @bridges oifname != @bridges accept',
        'iifname . oifname @same accept',
        'iifname @internal drop',
        'oifname @internal drop',
        established,
        'ct status dnat accept',
        'oifname @bridges drop',
        ...leaving,
      ],
      postrouting: [
        'type nat hook postrouting priority srcnat; policy accept;',
        'ip saddr 127.0.0.0/8 oifname @bridges masquerade',
        // A container that comes back to its own network by a published port: the answer must take the same way.
        'ip saddr @subnets oifname @bridges ct status dnat masquerade',
        'ip saddr @masqueraded oifname != @bridges masquerade',
        'ip6 saddr @masqueraded_ipv6 oifname != @bridges masquerade',
      ],
    },
    declareSets(bridges),
  );
}

function declareSets(bridges: readonly BridgeRules[]): readonly string[] {
  const quoted = (some: readonly BridgeRules[]): string[] => some.map(({ name }) => `"${name}"`);
  const leaving = bridges.filter(({ isInternal, hasMasquerade }) => hasMasquerade && !isInternal);
  const elements: Partial<Record<RuleSet, readonly string[]>> = {
    bridges: quoted(bridges),
    same: quoted(bridges).map((name) => `${name} . ${name}`),
    internal: quoted(bridges.filter(({ isInternal }) => isInternal)),
    subnets: bridges.map(({ subnet }) => subnet),
    masqueraded: leaving.map(({ subnet }) => subnet),
    masqueraded_ipv6: leaving.flatMap(({ ipv6Subnet }) => ipv6Subnet ?? []),
  };
  return (Object.keys(ruleSets) as RuleSet[]).map((set) => {
    const own = elements[set] ?? [];
    const filled = own.length === 0 ? '' : ` elements = { ${own.join(', ')} };`;
    return `${ruleSets[set].replace(/ }$/, '')}${filled} }`;
  });
}

// Removes a job's table, and is no error where there is none.
function dropTable(mark: string): string {
  return `add table inet ${mark}\ndelete table inet ${mark}\n`;
}

// One transaction: the old table is in force until the new one is.
function table(
  mark: string,
  chains: Readonly<Record<string, readonly string[]>>,
  sets: readonly string[] = [],
): string {
  const body = Object.entries(chains).map(
    ([name, rules]) => `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }\n`,
  );
  const head = sets.map((set) => `  ${set}\n`);
  return `${dropTable(mark)}table inet ${mark} {\n${[...head, ...body].join('')}}\n`;
}
