import { isIPv6 } from 'node:net';

import { formatSubnet, parseSubnet, subnetContains } from './ipv4.ts';
import { formatIpv6Block, ipv6Contains, parseIpv6Block } from './ipv6.ts';

/** Where a job's traffic may go once it leaves the job. The host's own addresses and link-local ones are never among it. */
export type Egress =
  /** Public addresses, and those of `allow` (addresses or subnets). */
  | { readonly kind: 'internet'; readonly allow: readonly string[] }
  | { readonly kind: 'all' }
  | { readonly kind: 'none' };

/** Addresses of the machine itself and of its links, multicast and reserved ones: no job is led there. */
export const neverReached = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4'];
const notPublic = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', '198.18.0.0/15'];

/**
 * The same of IPv6: loopback, IPv4 in disguise and translated (mapped, NAT64); link-local and multicast; where clouds
 * (AWS, Oracle, Scaleway, Google) have their metadata.
 */
export const neverReachedIpv6 = [
  ...['::/8', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
  ...['fd00:ec2::/32', 'fd00:c1::a9fe:a9fe/128', 'fd00:42::42/128', 'fd20:ce::254/128'],
];
/** All that is given out for the internet; of that, what carries IPv4 in it (Teredo, 6to4). */
const publicIpv6 = '2000::/3';
const tunnelsIpv6 = ['2001::/32', '2002::/16'];

/** Statement that lets DNS through to the resolvers; they are often private, and on some clouds link-local. */
export function resolverRules(egress: Egress, resolvers: readonly string[]): readonly string[] {
  if (egress.kind === 'none' || resolvers.length === 0) return [];
  return [`ip daddr { ${resolvers.join(', ')} } meta l4proto { tcp, udp } th dport 53 accept`];
}

/** Body of the chain `egress`: drops what the policy forbids and returns for the rest. */
export function egressRules(egress: Egress): readonly string[] {
  if (egress.kind === 'none') return ['drop'];
  const rules = [
    `ip daddr { ${neverReached.join(', ')} } drop`,
    `ip6 daddr { ${neverReachedIpv6.join(', ')} } drop`,
  ];
  if (egress.kind === 'all') return rules;
  const allowed = withoutOverlaps(egress.allow.map(parseBlock));
  const opened = (['ip', 'ip6'] as const).flatMap((family) => {
    const blocks = allowed.filter((block) => block.family === family).map(({ text }) => text);
    return blocks.length === 0 ? [] : [`${family} daddr { ${blocks.join(', ')} } return`];
  });
  return [
    ...rules,
    ...opened,
    `ip daddr { ${notPublic.join(', ')} } drop`,
    `ip6 daddr != ${publicIpv6} drop`,
    `ip6 daddr { ${tunnelsIpv6.join(', ')} } drop`,
  ];
}

interface Block {
  readonly family: 'ip' | 'ip6';
  readonly text: string;
  readonly contains: (other: Block) => boolean;
}

function parseBlock(text: string): Block {
  if (!text.includes(':')) {
    const subnet = parseSubnet(text);
    const contains = (other: Block): boolean => {
      if (other.family !== 'ip') return false;
      const inner = parseSubnet(other.text);
      return inner.prefixLength > subnet.prefixLength && subnetContains(subnet, inner.base);
    };
    return { family: 'ip', text: formatSubnet(subnet), contains };
  }
  const block = parseIpv6Block(isIPv6(text) ? `${text}/128` : text);
  const contains = (other: Block): boolean => {
    if (other.family !== 'ip6') return false;
    const inner = parseIpv6Block(other.text);
    return inner.prefixLength > block.prefixLength && ipv6Contains(block, inner.base);
  };
  return { family: 'ip6', text: formatIpv6Block(block), contains };
}

// An anonymous set refuses overlapping intervals: a block inside another says nothing new.
function withoutOverlaps(blocks: readonly Block[]): readonly Block[] {
  const unique = [...new Map(blocks.map((block) => [block.text, block])).values()];
  return unique.filter((one) => !unique.some((other) => other !== one && other.contains(one)));
}
