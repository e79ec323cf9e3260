import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { EngineError } from '../errors.ts';
import { parseEnvironment } from './command-environment.ts';
import { jobEnvironment } from './environment.ts';
import type { OpenJob } from './open-job.ts';

/** A command of the runner's, as `berth run` gives it. */
export interface JobCommand {
  readonly command: readonly string[];
  /** `NAME=value`, or `NAME` to take it from berth's own environment. */
  readonly env: readonly string[];
  /** The environment that berth itself was started with. */
  readonly ownEnv: NodeJS.ProcessEnv;
}

/** Moves itself into the cgroups named before `--`, then becomes the command: nothing it starts is ever outside. */
const ENTER_CGROUPS =
  'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"';

/** Runs a command as a process of the host in the job's network namespace and cgroup; answers its exit code. */
export async function runInJobNetns(open: OpenJob, asked: JobCommand, signal: AbortSignal): Promise<number> {
  const { job, host, names } = open;
  const { command, ownEnv } = asked;
  // A cgroup of its own: with cgroup v2, one that has children may not hold processes itself.
  const cgroup = `${names.cgroupPath}/command`;
  await host.cgroups.create(cgroup);
  const enterNetns = ['nsenter', `--net=${job.network.netnsPath}`, '--'];
  const args = [
    '-c',
    ENTER_CGROUPS,
    'berth-command',
    ...host.cgroups.paths(cgroup),
    '--',
    ...enterNetns,
    ...command,
  ];
  const child = spawn('/bin/sh', args, {
    stdio: 'inherit',
    env: { ...ownEnv, ...jobEnvironment(open.address), ...parseEnvironment(asked.env, ownEnv) },
  });
  const forward = (): void => {
    child.kill(signal.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM');
  };
  signal.addEventListener('abort', forward, { once: true });
  try {
    return await exitCodeOf(child);
  } finally {
    signal.removeEventListener('abort', forward);
  }
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new EngineError('Internal', `cannot run the command: ${error.message}`, { cause: error }));
    });
    child.once('exit', (code, signalName) => {
      resolve(code ?? 128 + (signalName ? constants.signals[signalName] : 0));
    });
  });
}
