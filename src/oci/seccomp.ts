import profile from '../../config/seccomp.json' with { type: 'json' };
import { isKernelAtLeast } from './kernel-version.ts';
import type { SeccompCondition, SeccompProfile, SeccompRule } from '../policy/seccomp-profile.ts';
import type { OciSeccomp, OciSyscallRule, SpecHost } from './spec-types.ts';

interface Profile {
  readonly defaultErrno: number;
  readonly architectures: Readonly<Record<string, readonly string[]>>;
  /** Those without an action allow, or refuse with their errno. */
  readonly rules: readonly (Omit<SeccompRule, 'action'> & Partial<Pick<SeccompRule, 'action'>>)[];
}

type Machine = Pick<SpecHost, 'architecture' | 'kernelVersion'>;

// In the profile, the longest rule names the newest calls first, the order that their numbers fall in: the library sorts
// by number and walks over all smaller ones at each insertion, which was 2 of the 31 ms of CPU that runc takes for an exec.
/** Docker's default filter for a container with these capabilities on this machine. */
export function defaultSeccomp(capabilities: readonly string[], host: Machine): OciSeccomp {
  const { defaultErrno, architectures, rules }: Profile = profile;
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: defaultErrno,
    architectures: architectures[host.architecture] ?? [],
    syscalls: rules.filter((rule) => applies(rule, capabilities, host)).map(toSyscallRule),
  };
}

/** A client's own filter; it never covers more architectures than the default one. */
export function ownSeccomp(
  { defaultAction, defaultErrno, architectures, rules }: SeccompProfile,
  capabilities: readonly string[],
  host: Machine,
): OciSeccomp {
  const known = (profile as Profile).architectures[host.architecture] ?? [];
  const asked = architectures ? known.filter((name) => architectures.includes(name)) : known.slice(0, 1);
  return {
    defaultAction,
    ...(defaultErrno === undefined ? {} : { defaultErrnoRet: defaultErrno }),
    architectures: asked,
    syscalls: rules
      .filter((rule) => rule.syscalls.length > 0 && applies(rule, capabilities, host))
      .map(toSyscallRule),
  };
}

function applies(
  rule: { readonly requires?: SeccompCondition | undefined; readonly unless?: SeccompCondition | undefined },
  capabilities: readonly string[],
  host: Machine,
): boolean {
  const has = (name: string): boolean => capabilities.includes(name);
  const isHere = (architecture: string): boolean => architecture === host.architecture;
  const { requires = {}, unless = {} } = rule;
  if (unless.capabilities?.some(has) === true || unless.architectures?.some(isHere) === true) {
    return false;
  }
  if (requires.minKernel !== undefined && !isKernelAtLeast(host.kernelVersion, requires.minKernel)) {
    return false;
  }
  return requires.capabilities?.every(has) !== false && requires.architectures?.some(isHere) !== false;
}

function toSyscallRule({ syscalls, action, errno, args }: Profile['rules'][number]): OciSyscallRule {
  return {
    names: syscalls,
    action: action ?? (errno === undefined ? 'SCMP_ACT_ALLOW' : 'SCMP_ACT_ERRNO'),
    ...(errno === undefined ? {} : { errnoRet: errno }),
    ...(args ? { args } : {}),
  };
}
