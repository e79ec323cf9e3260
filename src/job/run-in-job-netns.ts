import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
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

/** Exit code of a shell for a program that is not there. */
const EXIT_NOT_FOUND = 127;

/** Runs a command as a process of the host in the job's network namespace and cgroup; answers its exit code. */
export async function runInJobNetns(open: OpenJob, asked: JobCommand, signal: AbortSignal): Promise<number> {
  const { job, host, names } = open;
  const { command, ownEnv } = asked;
  // A cgroup of its own: with cgroup v2, one that has children may not hold processes itself.
  const cgroup = `${names.cgroupPath}/command`;
  await host.cgroups.create(cgroup);
  const child = spawn('nsenter', [`--net=${job.network.netnsPath}`, '--', ...command], {
    stdio: 'inherit',
    env: { ...ownEnv, ...jobEnvironment(job.paths.socket), ...parseEnvironment(asked.env, ownEnv) },
  });
  const forward = (): void => {
    child.kill(signal.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM');
  };
  signal.addEventListener('abort', forward, { once: true });
  try {
    const { pid } = child;
    if (pid !== undefined)
      await Promise.all(
        host.cgroups.paths(cgroup).map((path) => writeFile(join(path, 'cgroup.procs'), String(pid))),
      );
    return await exitCodeOf(child);
  } finally {
    signal.removeEventListener('abort', forward);
  }
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(EXIT_NOT_FOUND);
      else reject(new EngineError('Internal', `cannot run the command: ${error.message}`, { cause: error }));
    });
    child.once('exit', (code, signalName) => {
      resolve(code ?? 128 + (signalName ? constants.signals[signalName] : 0));
    });
  });
}
