import { isIP } from 'node:net';

import { EngineError } from '../errors.ts';
import type { LinkedHost } from './types.ts';

/** What a container's hosts file says beyond the names every machine has. */
export interface HostsFacts {
  readonly hostname: string;
  readonly domainname: string;
  /** Addresses of the container, in the order of its networks; none in the job's namespace. */
  readonly addresses: readonly string[];
  /** `HostConfig.ExtraHosts`: `name:address`, where the address may be `host-gateway`. */
  readonly extraHosts: readonly string[];
  /** Containers that it is linked to. */
  readonly linkedHosts: readonly LinkedHost[];
  /** What `host-gateway` stands for. */
  readonly gateway: string;
}

const machineLines = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];
const namePattern = /^[^\s#\p{Cc}]+$/u;

/** Text of a container's hosts file, in dockerd's order: the machine, the extra hosts, the links, the container itself. */
export function formatHostsFile(facts: HostsFacts): string {
  const extra = facts.extraHosts.map((entry) => extraHostLine(entry, facts.gateway));
  const names = ownNames(facts);
  const own = facts.addresses.map((address) => `${address}\t${names}`);
  const linked = facts.linkedHosts.map(
    ({ address, names: all }) => `${address}\t${all.map(checkName).join(' ')}`,
  );
  return [...machineLines, ...extra, ...linked, ...own].map((line) => `${line}\n`).join('');
}

/** Text of a container's hostname file; InvalidArgument for a name that is more than one word. */
export function formatHostnameFile(hostname: string): string {
  return `${checkName(hostname)}\n`;
}

// The name may be given whole in the hostname or split over both: the file has the whole one and its first label.
function ownNames({ hostname, domainname }: HostsFacts): string {
  const whole = checkName(domainname === '' ? hostname : `${hostname}.${domainname}`);
  const dot = whole.indexOf('.');
  return dot < 0 ? whole : `${whole} ${whole.slice(0, dot)}`;
}

function extraHostLine(entry: string, gateway: string): string {
  const colon = entry.indexOf(':');
  if (colon <= 0)
    throw new EngineError('InvalidArgument', `bad format for add-host: ${JSON.stringify(entry)}`);
  const name = checkName(entry.slice(0, colon));
  const target = entry.slice(colon + 1);
  if (target === 'host-gateway') return `${gateway}\t${name}`;
  if (isIP(target) === 0)
    throw new EngineError('InvalidArgument', `invalid IP address in add-host: ${JSON.stringify(target)}`);
  return `${target}\t${name}`;
}

function checkName(name: string): string {
  if (!namePattern.test(name))
    throw new EngineError('InvalidArgument', `invalid host name: ${JSON.stringify(name)}`);
  return name;
}
