import builtin from '../../config/seccomp.json' with { type: 'json' };
import {
  REFUSING_ACTIONS,
  type SeccompArg,
  type SeccompCondition,
  type SeccompProfile,
} from './seccomp-profile.ts';

/** A rule of the built-in profile; one without `errno` allows. */
interface BuiltinRule {
  readonly syscalls: readonly string[];
  readonly errno?: number | undefined;
  readonly args?: readonly SeccompArg[] | undefined;
  readonly requires?: SeccompCondition | undefined;
  readonly unless?: SeccompCondition | undefined;
}

/** The part of a rule that says when it lets a system call through. */
type Permission = Pick<BuiltinRule, 'args' | 'requires' | 'unless'>;

const ALLOWING: readonly BuiltinRule[] = (builtin.rules as readonly BuiltinRule[]).filter(
  ({ errno }) => errno === undefined,
);

/**
 * The first system call that a profile may let through where the built-in one does not; undefined where it surely lets
 * nothing more through: each of its permissions is one of the built-in's, under the same conditions or narrower ones.
 */
export function findWider(profile: SeccompProfile): string | undefined {
  for (const rule of profile.rules) {
    if (REFUSING_ACTIONS.has(rule.action)) continue;
    const wider = rule.syscalls.find((name) => !isPermitted(name, rule));
    if (wider !== undefined) return wider;
  }
  return undefined;
}

function isPermitted(name: string, asked: Permission): boolean {
  return ALLOWING.some(
    (rule) => rule.syscalls.includes(name) && hasArgsOf(asked, rule) && isUnderConditionsOf(asked, rule),
  );
}

// Exactly the same: runc takes two comparisons of one argument for alternatives, so more of them need not be narrower.
function hasArgsOf(asked: Permission, { args: wanted }: BuiltinRule): boolean {
  if (!wanted) return true;
  const { args = [] } = asked;
  return args.length === wanted.length && wanted.every((arg) => args.some((one) => isSameArg(one, arg)));
}

function isSameArg(a: SeccompArg, b: SeccompArg): boolean {
  return (
    a.index === b.index && a.op === b.op && a.value === b.value && (a.valueTwo ?? 0) === (b.valueTwo ?? 0)
  );
}

function isUnderConditionsOf(asked: Permission, { requires = {}, unless = {} }: BuiltinRule): boolean {
  const { requires: given = {}, unless: except = {} } = asked;
  const includes = (list: readonly string[] | undefined, part: readonly string[] | undefined): boolean =>
    (part ?? []).every((name) => list?.includes(name) === true);
  return (
    includes(given.capabilities, requires.capabilities) &&
    (!requires.architectures ||
      (given.architectures !== undefined && includes(requires.architectures, given.architectures))) &&
    (requires.minKernel === undefined || requires.minKernel === given.minKernel) &&
    includes(except.capabilities, unless.capabilities) &&
    includes(except.architectures, unless.architectures)
  );
}
