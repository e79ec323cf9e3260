import { randomBytes } from 'node:crypto';

import { EngineError } from '../errors.ts';
import { formatSix } from './address-bytes.ts';
import { parseAddress } from './ipv4.ts';

const macPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** The hardware address that Docker gives to an IPv4 address: `02:42:` and its four bytes. */
export function macFromAddress(address: string): string {
  const hex = parseAddress(address).toString(16).padStart(8, '0');
  return `02:42:${(hex.match(/../g) ?? []).join(':')}`;
}

/** The link-local IPv6 address that goes with a hardware address (RFC 4291, appendix A): what neighbours are asked from. */
export function linkLocalOf(mac: string): string {
  const bytes = Buffer.from(mac.replaceAll(':', ''), 'hex');
  const host = Buffer.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0);
  bytes.copy(host, 8, 0, 3);
  bytes.copy(host, 13, 3, 6);
  host.writeUInt8(host.readUInt8(8) ^ 2, 8);
  return formatSix(host);
}

/** A random hardware address of Docker's prefix, for bridges. */
export function createBridgeMac(): string {
  return `02:42:${[...randomBytes(4)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
}

/** A hardware address a user gave, in lower case with colons; group, broadcast and zero addresses are InvalidArgument. */
export function parseMacAddress(text: string): string {
  const mac = text.toLowerCase().replaceAll('-', ':');
  const isGroup = (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
  if (!macPattern.test(mac) || isGroup || mac === '00:00:00:00:00:00')
    throw new EngineError('InvalidArgument', `invalid MAC address: ${JSON.stringify(text)}`);
  return mac;
}
