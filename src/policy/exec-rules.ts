import type { ExecRequest, ExecStartRequest } from '../wire/exec-request.ts';
import { PRIVILEGED_GRANT } from './privilege-rule.ts';
import { bad, deny, free, quote, unless, type RuleTable } from './rule.ts';
import { isUserSyntax } from './user-syntax.ts';
import { checkWorkingDir } from './working-dir.ts';

const INSIDE = 'only the container itself sees it';

/** The gate's table for `POST /containers/{id}/exec`: one row for every field that is decoded. */
export const EXEC_RULES: RuleTable<ExecRequest, object> = {
  argv: free(INSIDE),
  env: {
    verdict: 'bad',
    reason: 'each needs a name',
    isSecret: true,
    check: (env) =>
      env.flatMap((entry) =>
        unless(
          entry !== '' && !entry.startsWith('='),
          bad(`invalid environment variable: ${entry.slice(0, 100)}`),
        ),
      ),
  },
  user: {
    verdict: 'bad',
    reason: "it is looked up in the container's own files; ids are range-checked",
    check: (user) =>
      unless(
        isUserSyntax(user),
        bad(`invalid user ${quote(user)}: uids and gids must be in range 0-2147483647`),
      ),
  },
  workingDir: {
    verdict: 'bad',
    reason: 'below /proc it could be a directory of the machine that the runtime still has open',
    check: checkWorkingDir,
  },
  tty: free(INSIDE),
  attachStdin: free('streams of the job itself'),
  attachStdout: free('streams of the job itself'),
  attachStderr: free('streams of the job itself'),
  detachKeys: free('read from the stream of the job itself'),
  privileged: {
    verdict: 'deny',
    reason: 'a privileged process is root on the machine that runs it',
    safer: 'exec without --privileged: the process has what its container has',
    opensWithSetting: true,
    check: (isAsked) => (isAsked ? [deny('true', PRIVILEGED_GRANT)] : []),
  },
  consoleSize: free('the first size of a terminal'),
};

/** The gate's table for `POST /exec/{id}/start`; what runs was settled when the exec was created. */
export const EXEC_START_RULES: RuleTable<ExecStartRequest, object> = {
  detach: free('streams of the job itself'),
  isRaw: free('how the output is framed'),
  consoleSize: free('the first size of a terminal'),
};
