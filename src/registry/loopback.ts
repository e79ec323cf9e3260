import { BlockList, isIP } from 'node:net';
import { EngineError } from '../errors.ts';

/** True for `localhost` and addresses of 127.0.0.0/8 and ::1, without a port. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** The host of `host[:port]`, without the brackets of IPv6. */
export function hostnameOf(domain: string): string {
  return domain.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

/** Makes the test for registries that may be spoken to in plain http: loopback ones, and the operator's hosts and CIDRs. */
export function createInsecureTest(entries: readonly string[]): (domain: string) => boolean {
  const hosts = new Set<string>();
  const ranges = new BlockList();
  for (const entry of entries) {
    if (entry.includes('/')) addRange(ranges, entry);
    else hosts.add(entry.toLowerCase());
  }
  return (domain) => {
    const hostname = hostnameOf(domain);
    if (isLoopbackHost(hostname) || hosts.has(domain.toLowerCase()) || hosts.has(hostname.toLowerCase()))
      return true;
    const family = isIP(hostname);
    return family !== 0 && ranges.check(hostname, family === 4 ? 'ipv4' : 'ipv6');
  };
}

function addRange(ranges: BlockList, entry: string): void {
  const [address = '', bits = ''] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    throw new EngineError('InvalidArgument', `insecure registry "${entry}" is neither a host nor a CIDR`);
  ranges.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
}
