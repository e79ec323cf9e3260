import type { Job } from '../job.ts';
import type { ExecInspect } from '../../wire/exec-inspect.ts';
import { parseDetachKeys } from '../containers/parse-detach-keys.ts';
import { findExec } from './find-exec.ts';

/** `GET /exec/{id}/json`. The exit code is null until there is one. */
export function inspectExec(job: Job, execRef: string): ExecInspect {
  const exec = findExec(job, execRef);
  const { request, state } = exec;
  const [entrypoint = '', ...args] = request.argv;
  return {
    ID: exec.id,
    Running: state.status === 'running',
    ExitCode: state.status === 'exited' ? state.exitCode : null,
    ProcessConfig: {
      tty: request.tty,
      entrypoint,
      arguments: args,
      privileged: request.privileged,
      ...(request.user === '' ? {} : { user: request.user }),
    },
    OpenStdin: request.attachStdin,
    OpenStderr: request.attachStderr,
    OpenStdout: request.attachStdout,
    CanRemove: false,
    ContainerID: exec.containerId,
    DetachKeys: request.detachKeys === '' ? '' : parseDetachKeys(request.detachKeys).toString('base64'),
    Pid: state.status === 'created' || state.status === 'starting' ? 0 : state.pid,
  };
}
