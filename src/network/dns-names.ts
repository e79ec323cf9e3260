import { recordTypes, type DnsAnswer, type DnsQuestion } from './dns-message.ts';
import type { Endpoint } from './types.ts';

/** Everybody on the networks that one container is on, network by network. */
export type Neighbours = readonly (readonly Endpoint[])[];

const reversePattern = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/;

/**
 * What the container's own networks say to a question; undefined where they know nothing of the name.
 * A known name is never asked for elsewhere: for another type of record the answer is empty.
 */
export function answerFromNetworks({ name, type }: DnsQuestion, networks: Neighbours): DnsAnswer | undefined {
  const reverse = reversePattern.exec(name);
  if (reverse) return answerAddress(`${reverse[4]}.${reverse[3]}.${reverse[2]}.${reverse[1]}`, networks);
  for (const members of networks) {
    const named = members.filter((member) => isCalled(member, name)).map(({ ipAddress }) => ipAddress);
    if (named.length === 0) continue;
    return { kind: 'addresses', addresses: type === recordTypes.a ? shuffle(named) : [] };
  }
  return undefined;
}

function answerAddress(address: string, networks: Neighbours): DnsAnswer | undefined {
  const found = networks.flat().find(({ ipAddress }) => ipAddress === address);
  const [name] = found?.dnsNames ?? [];
  return found && name !== undefined ? { kind: 'name', name: `${name}.${found.networkName}` } : undefined;
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
