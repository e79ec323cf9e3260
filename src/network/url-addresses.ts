import { lookup } from 'node:dns/promises';
import { isIP, isIPv4 } from 'node:net';

import { EngineError } from '../errors.ts';
import { createBlockTest, isSpecialAddress } from '../lib/address-blocks.ts';
import { neverReached, neverReachedIpv6, type Egress } from './egress.ts';

/** Whom the connections of a job may reach. */
export interface AddressPolicy {
  readonly egress: Egress;
  /** True where the kernel's rules keep the job from private addresses that are not its own. */
  readonly hasRules: boolean;
}

/** Answers the addresses of a name, of either family; rejects where there are none. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

const isNeverReached = createBlockTest([...neverReached, ...neverReachedIpv6]);

/**
 * The addresses of a URL's host that may be dialled, IPv4 first, since the way out for IPv6 is only opened where it is
 * needed. They are dialled as they are: a name's later answers change nothing. PermissionDenied where the policy leaves
 * none, Unavailable where the name has none.
 */
export async function findAddresses(
  policy: AddressPolicy,
  hostname: string,
  resolve: ResolveName = resolveName,
): Promise<readonly string[]> {
  const bare = bareHost(hostname);
  if (policy.egress.kind === 'none') throw refused(bare, 'this job has no egress');
  const found = isIP(bare) === 0 ? await resolved(bare, resolve) : [bare];
  const judged = found.map((address) => ({ address, refusal: refusalOf(policy, address) }));
  const allowed = judged.flatMap(({ address, refusal }) => (refusal === undefined ? [address] : []));
  if (allowed.length === 0) throw refused(bare, judged[0]?.refusal ?? 'it has no address');
  return [...allowed.filter((one) => isIPv4(one)), ...allowed.filter((one) => !isIPv4(one))];
}

/** A URL's host without the brackets that IPv6 has there. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function refusalOf({ egress, hasRules }: AddressPolicy, address: string): string | undefined {
  // Only addresses of links have zones.
  if (address.includes('%') || isNeverReached(address))
    return 'its address is of the machine or its link alone';
  if (egress.kind !== 'internet' || hasRules || !isSpecialAddress(address)) return undefined;
  if (createBlockTest(egress.allow.map(asBlock))(address)) return undefined;
  return 'its address is not public, and not listed in [network] egress_allow';
}

async function resolved(name: string, resolve: ResolveName): Promise<readonly string[]> {
  try {
    return await resolve(name);
  } catch (cause) {
    throw new EngineError('Unavailable', `dial tcp: lookup ${name}: no such host`, { cause });
  }
}

async function resolveName(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

function asBlock(text: string): string {
  if (text.includes('/')) return text;
  return text.includes(':') ? `${text}/128` : `${text}/32`;
}

function refused(hostname: string, why: string): EngineError {
  return new EngineError('PermissionDenied', `${hostname} is refused by the job's egress rules: ${why}`);
}
