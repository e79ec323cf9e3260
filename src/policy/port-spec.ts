const CONTAINER_PORT = /^([0-9]{1,5})(?:\/(tcp|udp|sctp))?$/;
const PORT_RANGE = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/;
const MAX_PORT = 65_535;

/** True for `port` or `port/proto` as keys of port maps spell them. */
export function isContainerPort(text: string): boolean {
  const port = Number(CONTAINER_PORT.exec(text)?.[1] ?? 0);
  return port > 0 && port <= MAX_PORT;
}

/** True for a host port or a rising range of them; 0 lets the daemon choose. */
export function isHostPort(text: string): boolean {
  const [, first, last] = PORT_RANGE.exec(text) ?? [];
  if (first === undefined) {
    return false;
  }
  const end = Number(last ?? first);
  return Number(first) <= end && end <= MAX_PORT;
}
