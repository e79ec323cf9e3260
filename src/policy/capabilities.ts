import type { GateHost } from './gate-context.ts';

/** The kernel's capabilities, each at its number. */
export const CAPABILITY_NAMES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;

/** One bit for each capability, as /proc shows a set of them. */
export function capabilityMask(names: readonly string[]): bigint {
  return CAPABILITY_NAMES.reduce(
    (mask, name, bit) => (names.includes(name) ? mask | (1n << BigInt(bit)) : mask),
    0n,
  );
}

/** What Docker grants a container that asks for nothing. */
const DEFAULT_CAPABILITIES: ReadonlySet<string> = new Set([
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
]);

const ALL = 'ALL';

/** `ALL` or the full upper-case name, from any of the spellings that Docker takes; undefined for a name nobody knows. */
export function normalizeCapability(name: string): string | undefined {
  const upper = name.toUpperCase();
  if (upper === ALL) {
    return ALL;
  }
  const full = fullName(upper);
  return CAPABILITY_NAMES.some((known) => known === full) ? full : undefined;
}

function fullName(upper: string): string {
  return upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}

/** dockerd's words for the first name that nobody knows, or undefined. */
export function unknownCapability(names: readonly string[]): string | undefined {
  const unknown = names.find((name) => normalizeCapability(name) === undefined);
  return unknown === undefined
    ? undefined
    : `unknown capability: ${JSON.stringify(fullName(unknown.slice(0, 64).toUpperCase()))}`;
}

/** What of the kernel's capabilities this machine's containers can be given at all, in the kernel's order. */
export function grantableCapabilities(host: Pick<GateHost, 'lastCap' | 'boundingSet'>): readonly string[] {
  return CAPABILITY_NAMES.filter(
    (_, number) => number <= host.lastCap && ((host.boundingSet >> BigInt(number)) & 1n) === 1n,
  );
}

/** What is asked of a container's capabilities. */
export interface CapabilityRequest {
  readonly privileged: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/** The capabilities a container gets, in the kernel's order, and those it asked for by name that cannot be granted here. */
export function settleCapabilities(
  request: CapabilityRequest,
  host: Pick<GateHost, 'lastCap' | 'boundingSet'>,
): { readonly granted: readonly string[]; readonly ungrantable: readonly string[] } {
  const grantable = grantableCapabilities(host);
  const add = new Set(request.add.map(normalizeCapability));
  const ungrantable = CAPABILITY_NAMES.filter((name) => add.has(name) && !grantable.includes(name));
  if (request.privileged) {
    return { granted: grantable, ungrantable };
  }
  const drop = new Set(request.drop.map(normalizeCapability));
  const isWanted = (name: string): boolean => {
    if (add.has(ALL)) {
      return !drop.has(name);
    }
    return add.has(name) || (DEFAULT_CAPABILITIES.has(name) && !drop.has(ALL) && !drop.has(name));
  };
  return { granted: grantable.filter(isWanted), ungrantable };
}
