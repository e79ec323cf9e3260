import type { Admitted } from '../policy/admitted.ts';
import type { CheckedExec } from '../policy/privileged-gate.ts';
import { capabilitySets } from './capabilities.ts';
import { replaceEnv } from './env.ts';
import type { OciProcess, OciSpec, OciUser } from './spec-types.ts';

/** The process of an admitted exec: the container's own confinement, and of the request only what the gate let through. */
export function buildExecProcess(
  admitted: Admitted<CheckedExec>,
  container: Pick<OciSpec, 'process'>,
  user: OciUser,
): OciProcess {
  const { process: parent } = container;
  const [height, width] = admitted.consoleSize ?? [0, 0];
  return {
    terminal: admitted.tty,
    ...(admitted.tty && height > 0 && width > 0 ? { consoleSize: { height, width } } : {}),
    user,
    args: admitted.argv,
    env: replaceEnv(terminalEnv(parent.env, admitted.tty), admitted.env),
    cwd: admitted.workingDir || parent.cwd,
    capabilities: admitted.capabilities ? capabilitySets(admitted.capabilities) : parent.capabilities,
    rlimits: parent.rlimits,
    noNewPrivileges: parent.noNewPrivileges,
    ...(parent.apparmorProfile === undefined ? {} : { apparmorProfile: parent.apparmorProfile }),
    ...(parent.oomScoreAdj === undefined ? {} : { oomScoreAdj: parent.oomScoreAdj }),
  };
}

function terminalEnv(env: readonly string[], tty: boolean): readonly string[] {
  return tty && !env.some((entry) => entry.startsWith('TERM=')) ? [...env, 'TERM=xterm'] : env;
}
