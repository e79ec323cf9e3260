const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const HEX_GROUP = /^[0-9a-fA-F]{1,4}$/;

/** True for a dotted-quad IPv4 address without leading zeros. */
export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

/** True for an IPv6 address, an embedded IPv4 tail included; zones are not taken. */
export function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (text.length > 45 || halves.length > 2) {
    return false;
  }
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  const hasIpv4Tail = last !== undefined && isIpv4(last) && !text.endsWith('::');
  const hexGroups = hasIpv4Tail ? groups.slice(0, -1) : groups;
  const width = hexGroups.length + (hasIpv4Tail ? 2 : 0);
  return (halves.length === 2 ? width < 8 : width === 8) && hexGroups.every((group) => HEX_GROUP.test(group));
}

/** True for an address of either family. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}
