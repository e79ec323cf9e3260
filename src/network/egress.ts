import { formatSubnet, parseSubnet } from './ipv4.ts';

/** Where a job's traffic may go once it leaves the job. The host's own addresses and link-local ones are never among it. */
export type Egress =
  /** Public addresses, and those of `allow` (addresses or subnets). */
  | { readonly kind: 'internet'; readonly allow: readonly string[] }
  | { readonly kind: 'all' }
  | { readonly kind: 'none' };

const never = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4'];
const notPublic = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', '198.18.0.0/15'];

/** Statement that lets DNS through to the resolvers; they are often private, and on some clouds link-local. */
export function resolverRules(egress: Egress, resolvers: readonly string[]): readonly string[] {
  if (egress.kind === 'none' || resolvers.length === 0) return [];
  return [`ip daddr { ${resolvers.join(', ')} } meta l4proto { tcp, udp } th dport 53 accept`];
}

/** Body of the chain `egress`: drops what the policy forbids and returns for the rest. */
export function egressRules(egress: Egress): readonly string[] {
  if (egress.kind === 'none') return ['drop'];
  const rules = ['meta nfproto != ipv4 drop', `ip daddr { ${never.join(', ')} } drop`];
  if (egress.kind === 'all') return rules;
  const allowed = egress.allow.map((text) => formatSubnet(parseSubnet(text)));
  if (allowed.length > 0) rules.push(`ip daddr { ${withoutOverlaps(allowed).join(', ')} } return`);
  return [...rules, `ip daddr { ${notPublic.join(', ')} } drop`];
}

// An anonymous set refuses overlapping intervals: a block inside another says nothing new.
function withoutOverlaps(subnets: readonly string[]): readonly string[] {
  const unique = [...new Set(subnets)].map(parseSubnet);
  const isInside = (a: (typeof unique)[number], b: (typeof unique)[number]): boolean =>
    a !== b &&
    a.prefixLength > b.prefixLength &&
    a.base >= b.base &&
    a.base < b.base + 2 ** (32 - b.prefixLength);
  return unique.filter((one) => !unique.some((other) => isInside(one, other))).map(formatSubnet);
}
