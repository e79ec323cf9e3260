import { formatSix } from './address-bytes.ts';
import { recordTypes, type DnsAnswer, type DnsQuestion } from './dns-message.ts';
import type { Endpoint, NetworkLink } from './types.ts';

/** What one container knows of one of the networks it is on. */
export interface Neighbourhood {
  readonly members: readonly Endpoint[];
  /** The container's own names for others there. */
  readonly links: readonly NetworkLink[];
}

/** What one container knows, network by network. */
export type Neighbours = readonly Neighbourhood[];

const reversePattern = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/;

const sixReversePattern = /^(?:[\da-f]\.){32}ip6\.arpa$/;

/**
 * What the container's own networks say to a question; undefined where they know nothing of the name.
 * A known name is never asked for elsewhere: for another type of record the answer is empty.
 */
export function answerFromNetworks({ name, type }: DnsQuestion, networks: Neighbours): DnsAnswer | undefined {
  const reverse = reversePattern.exec(name);
  if (sixReversePattern.test(name)) return answerAddress(forwardSix(name), networks);
  if (reverse) return answerAddress(`${reverse[4]}.${reverse[3]}.${reverse[2]}.${reverse[1]}`, networks);
  for (const { members, links } of networks) {
    const target = linkTarget(links, name) ?? name;
    const named = members.filter((member) => isCalled(member, target));
    if (named.length === 0) continue;
    return { kind: 'addresses', addresses: shuffle(named.flatMap((member) => addressesOf(member, type))) };
  }
  return undefined;
}

// The digits of the address, backwards and each on its own.
function forwardSix(name: string): string {
  return formatSix(Buffer.from(name.slice(0, -'.ip6.arpa'.length).split('.').reverse().join(''), 'hex'));
}

function answerAddress(address: string, networks: Neighbours): DnsAnswer | undefined {
  const found = networks
    .flatMap(({ members }) => members)
    .find(({ ipAddress, ipv6 }) => ipAddress === address || ipv6?.address === address);
  const [name] = found?.dnsNames ?? [];
  return found && name !== undefined ? { kind: 'name', name: `${name}.${found.networkName}` } : undefined;
}

function linkTarget(links: readonly NetworkLink[], name: string): string | undefined {
  return links.find(({ alias }) => alias.toLowerCase() === name)?.target.toLowerCase();
}

function addressesOf({ ipAddress, ipv6 }: Endpoint, type: number): readonly string[] {
  if (type === recordTypes.a) return [ipAddress];
  return type === recordTypes.aaaa && ipv6 ? [ipv6.address] : [];
}

function isCalled({ dnsNames, networkName }: Endpoint, name: string): boolean {
  const suffix = `.${networkName.toLowerCase()}`;
  const short = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
  return dnsNames.some((one) => {
    const lower = one.toLowerCase();
    return lower === name || lower === short;
  });
}

// Clients take the first: each of several containers with one name gets its share.
function shuffle(addresses: readonly string[]): readonly string[] {
  const start = Math.floor(Math.random() * addresses.length);
  return [...addresses.slice(start), ...addresses.slice(0, start)];
}
