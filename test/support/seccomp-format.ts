import builtin from '../../config/seccomp.json' with { type: 'json' };
import type { SeccompRule } from '../../src/policy/seccomp-profile.ts';

type Json = Readonly<Record<string, unknown>>;

/** The built-in seccomp profile as Docker writes such files, without some system calls. */
export function inDockersFormat(without: readonly string[] = []): Json {
  const rules = builtin.rules as readonly Partial<SeccompRule>[];
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    archMap: Object.values(builtin.architectures).map(([architecture, ...subArchitectures]) => ({
      architecture,
      subArchitectures,
    })),
    syscalls: rules.map(({ syscalls = [], errno, args, requires, unless }) => ({
      names: syscalls.filter((name) => !without.includes(name)),
      action: errno === undefined ? 'SCMP_ACT_ALLOW' : 'SCMP_ACT_ERRNO',
      ...(errno === undefined ? {} : { errnoRet: errno }),
      args: args ?? [],
      comment: '',
      includes: conditionOf(requires),
      excludes: conditionOf(unless),
    })),
  };
}

function conditionOf(condition: SeccompRule['requires']): Json {
  const { capabilities: caps, architectures: arches, minKernel } = condition ?? {};
  return { ...(caps ? { caps } : {}), ...(arches ? { arches } : {}), ...(minKernel ? { minKernel } : {}) };
}
