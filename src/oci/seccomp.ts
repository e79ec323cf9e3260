import profile from '../../config/seccomp.json' with { type: 'json' };
import { isKernelAtLeast } from './kernel-version.ts';
import type { OciSeccomp, OciSyscallRule, SpecHost } from './spec-types.ts';

/** What must be true of a container and its machine; all of it, where several things are named. */
interface Condition {
  readonly capabilities?: readonly string[] | undefined;
  readonly architectures?: readonly string[] | undefined;
  readonly minKernel?: string | undefined;
}

interface ProfileRule {
  readonly syscalls: readonly string[];
  /** Allowed when absent, else refused with this error. */
  readonly errno?: number | undefined;
  readonly args?: OciSyscallRule['args'] | undefined;
  readonly requires?: Condition | undefined;
  /** The rule is left out when any of it is true. */
  readonly unless?: Condition | undefined;
}

interface Profile {
  readonly defaultErrno: number;
  readonly architectures: Readonly<Record<string, readonly string[]>>;
  readonly rules: readonly ProfileRule[];
}

/** Docker's default filter for a container with these capabilities on this machine. */
export function defaultSeccomp(
  capabilities: readonly string[],
  host: Pick<SpecHost, 'architecture' | 'kernelVersion'>,
): OciSeccomp {
  const { defaultErrno, architectures, rules }: Profile = profile;
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: defaultErrno,
    architectures: architectures[host.architecture] ?? [],
    syscalls: rules.filter((rule) => applies(rule, capabilities, host)).map(toSyscallRule),
  };
}

function applies(
  rule: ProfileRule,
  capabilities: readonly string[],
  host: Pick<SpecHost, 'architecture' | 'kernelVersion'>,
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

function toSyscallRule({ syscalls, errno, args }: ProfileRule): OciSyscallRule {
  return {
    names: syscalls,
    ...(errno === undefined ? { action: 'SCMP_ACT_ALLOW' } : { action: 'SCMP_ACT_ERRNO', errnoRet: errno }),
    ...(args ? { args } : {}),
  };
}
