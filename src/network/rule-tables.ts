import { egressRules, resolverRules, type Egress } from './egress.ts';
import { uplinkPrefix } from './names.ts';

/** A bridge as the rules of its namespace see it. */
export interface BridgeRules {
  readonly name: string;
  /** `address/length`. */
  readonly subnet: string;
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
  const dns = resolverRules(egress, resolvers);
  return table(mark, {
    egress: egressRules(egress),
    // Before destination NAT, so that the host's port forwards do not turn a forbidden address into an allowed one.
    prerouting: [
      'type filter hook prerouting priority mangle; policy accept;',
      `iifname != "${hostLink}" accept`,
      'meta nfproto != ipv4 drop',
      `ip saddr != ${jobAddress} drop`,
      established,
      'ct state invalid drop',
      ...dns,
      'fib daddr type != unicast drop',
      'jump egress',
    ],
    input: [
      'type filter hook input priority filter - 1; policy accept;',
      `iifname != "${hostLink}" accept`,
      'meta nfproto != ipv4 drop',
      established,
      ...dns,
      'drop',
    ],
    forward: [
      'type filter hook forward priority filter - 1; policy accept;',
      `iifname != "${hostLink}" oifname != "${hostLink}" accept`,
      'meta nfproto != ipv4 drop',
      `oifname "${uplinkPrefix}*" iifname "${uplinkPrefix}*" drop`,
      established,
      `oifname "${hostLink}" drop`,
      ...dns,
      'jump egress',
    ],
    postrouting: [
      'type nat hook postrouting priority srcnat; policy accept;',
      `ip saddr ${jobAddress} oifname != "${hostLink}" masquerade`,
    ],
  });
}

/** The whole table of the namespace the bridges are in; `exit` where no uplink's table rules on what leaves. */
export function bridgeTable(mark: string, bridges: readonly BridgeRules[], exit?: EgressRules): string {
  const set = `{ ${bridges.map(({ name }) => `"${name}"`).join(', ')} }`;
  const within = bridges.map(({ name }) => `iifname "${name}" oifname "${name}" accept`);
  const leaving = exit ? [...resolverRules(exit.egress, exit.resolvers), 'jump egress'] : [];
  return table(mark, {
    ...(exit ? { egress: egressRules(exit.egress) } : {}),
    forward: [
      'type filter hook forward priority filter - 1; policy accept;',
      `iifname != ${set} oifname != ${set} accept`,
      ...within,
      established,
      `oifname ${set} drop`,
      ...leaving,
    ],
    postrouting: [
      'type nat hook postrouting priority srcnat; policy accept;',
      ...bridges.map(({ name, subnet }) => `ip saddr ${subnet} oifname != "${name}" masquerade`),
    ],
  });
}

/** Removes a job's table, and is no error where there is none. */
export function dropTable(mark: string): string {
  return `add table inet ${mark}\ndelete table inet ${mark}\n`;
}

// One transaction: the old table is in force until the new one is.
function table(mark: string, chains: Readonly<Record<string, readonly string[]>>): string {
  const body = Object.entries(chains).map(
    ([name, rules]) => `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }\n`,
  );
  return `${dropTable(mark)}table inet ${mark} {\n${body.join('')}}\n`;
}
