import type { IpamPool, NetworkCreateRequest } from '../wire/network.ts';
import { bad, forbid, free, missing, quote, unless, type Finding, type RuleTable } from './rule.ts';

const NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9_. -]{0,126}[a-zA-Z0-9_.-])?$/;
const RESERVED: readonly string[] = ['bridge', 'host', 'none', 'default', 'container', 'private'];
const OWN_OPTION = 'com.docker.network.';
const SHOWN_OPTION = `${OWN_OPTION}bridge.default_bridge`;
const MAX_LABEL_BYTES = 64 * 1024;
const ONLY_OWN =
  'configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.';
const NO_OWN = 'are not supported if the network depends on a configuration network';
const NO_SWARM =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

function checkName(name: string): readonly Finding[] {
  if (name.trim() === '') return [bad('invalid network name: name is empty')];
  if (RESERVED.includes(name)) return [forbid(`operation is not permitted on predefined ${name} network`)];
  const rule = 'only [a-zA-Z0-9][a-zA-Z0-9_.-] and blanks between them are allowed, 128 at most';
  return unless(NAME.test(name), bad(`invalid network name: ${quote(name)}: ${rule}`));
}

// A configuration has none, whatever is asked for.
function checkDriver(driver: string, { ConfigOnly: isConfigOnly }: NetworkCreateRequest): readonly Finding[] {
  if (isConfigOnly) return [];
  if (driver === '' || driver === 'default' || driver === 'bridge') return [];
  if (driver === 'host' || driver === 'null')
    return [forbid(`only one instance of "${driver}" network is allowed`)];
  return driver === 'overlay' ? [forbid(NO_SWARM)] : [missingPlugin(driver)];
}

function missingPlugin(name: string): Finding {
  return missing(`plugin ${quote(name)} not found`);
}

function unsupported(isAsked: boolean, name: string, what: string): readonly Finding[] {
  const message = `network ${name.slice(0, 200)}: ${what} is not supported`;
  return unless(!isAsked, { kind: 'unsupported', message });
}

function checkScope(scope: string, { Name: name }: NetworkCreateRequest): readonly Finding[] {
  if (scope === 'swarm') return [forbid('cannot create a swarm scoped network when swarm is not active')];
  return unsupported(scope !== '' && scope !== 'local', name, `scope ${scope.slice(0, 200)}`);
}

function checkIpam(
  ipam: NetworkCreateRequest['IPAM'],
  { EnableIPv6 }: NetworkCreateRequest,
): readonly Finding[] {
  const pools = ipam.Config ?? [];
  const six = pools.filter(isIpv6Pool).length;
  const message = 'the IPv6 subnet is not used, since IPv6 is not enabled';
  return [
    ...unless(ipam.Driver === '' || ipam.Driver === 'default', missingPlugin(ipam.Driver)),
    ...unless(
      Object.keys(ipam.Options ?? {}).length === 0,
      bad('options of the default IPAM driver are not known'),
    ),
    ...unless(six <= 1 && pools.length - six <= 1, forbid("bridge driver doesn't support multiple subnets")),
    ...unless(six === 0 || EnableIPv6 === true, { kind: 'warn', message }),
  ];
}

/** True where a pool is one of IPv6 addresses. */
export function isIpv6Pool({ Subnet = '', Gateway = '', IPRange = '' }: IpamPool): boolean {
  return (Subnet || IPRange || Gateway).includes(':');
}

function checkConfigOnly(isAsked: boolean, request: NetworkCreateRequest): readonly Finding[] {
  const { Ingress, Internal, Attachable, Scope } = request;
  return unless(!isAsked || !(Ingress || Internal || Attachable || Scope !== ''), forbid(ONLY_OWN));
}

function checkConfigFrom(
  { Network: from }: NetworkCreateRequest['ConfigFrom'],
  { ConfigOnly, IPAM: ipam, EnableIPv6, Labels, Options }: NetworkCreateRequest,
): readonly Finding[] {
  if (from === '') return [];
  const count = (some: object | null): number => Object.keys(some ?? {}).length;
  const hasOwn = EnableIPv6 === true || [Labels, ipam.Options, ipam.Config].some((one) => count(one) > 0);
  return [
    ...unless(!ConfigOnly, forbid('a configuration network cannot depend on another configuration network')),
    ...unless(!hasOwn, forbid(`user specified configurations ${NO_OWN}`)),
    ...unless(count(Options) === 0, forbid(`network driver options ${NO_OWN}`)),
  ];
}

function checkSize(texts: Readonly<Record<string, string>> | null): readonly Finding[] {
  return unless(
    JSON.stringify(texts ?? {}).length <= MAX_LABEL_BYTES,
    bad(`labels and options are more than ${MAX_LABEL_BYTES} bytes`),
  );
}

// Those of drivers that are not here are kept and shown, as in dockerd; so is the one that inspect shows of `bridge`.
function checkEffect(option: string): readonly Finding[] {
  const hasEffect = option.startsWith(OWN_OPTION) && option !== SHOWN_OPTION;
  return unless(hasEffect, { kind: 'warn', message: `network option ${quote(option)} has no effect` });
}

/** The gate's table for `POST /networks/create`: one row for every field that is decoded. */
export const NETWORK_CREATE_RULES: RuleTable<NetworkCreateRequest, NetworkCreateRequest> = {
  Name: {
    verdict: 'bad',
    reason: "Docker's characters for names, and none of the predefined; it names no device of the machine",
    check: checkName,
  },
  CheckDuplicate: free('names are always checked'),
  Driver: {
    verdict: 'bad',
    reason: "a bridge in the job's own network namespace; other drivers are programs of the machine",
    check: checkDriver,
  },
  Scope: { verdict: 'bad', reason: 'there is no swarm', check: checkScope },
  Internal: free('narrows the network'),
  Attachable: free('of swarms; shown, and without an effect'),
  ConfigOnly: {
    verdict: 'bad',
    reason: 'kept for networks that are made from it, each of which is looked at as any other',
    check: checkConfigOnly,
  },
  Ingress: {
    verdict: 'bad',
    reason: 'there is no swarm',
    check: (isAsked) => unless(!isAsked, forbid('Ingress network can only be global scope network')),
  },
  ConfigFrom: {
    verdict: 'bad',
    reason: "names a configuration of the job's own",
    check: checkConfigFrom,
  },
  EnableIPv4: {
    verdict: 'bad',
    reason: "the job's networks have IPv4",
    check: (isAsked, { Name: name }) => unsupported(isAsked === false, name, 'EnableIPv4=false'),
  },
  EnableIPv6: free("addresses of the job's own networks"),
  IPAM: {
    verdict: 'bad',
    reason:
      "addresses of the job's own networks; none of the machine's, of other networks, or that mean nothing",
    check: checkIpam,
  },
  Options: {
    verdict: 'bad',
    reason:
      "known ones of the bridge driver; those about the machine's own addresses and devices are refused",
    check: (options) => [...checkSize(options), ...Object.keys(options ?? {}).flatMap(checkEffect)],
  },
  Labels: { verdict: 'bad', reason: 'kept by berth, 64 KiB at most', check: checkSize },
};
