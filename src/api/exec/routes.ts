import { createExec } from '../../engine/exec/create-exec.ts';
import { inspectExec } from '../../engine/exec/inspect-exec.ts';
import { resizeExec } from '../../engine/exec/resize-exec.ts';
import type { ExecInspect } from '../../wire/exec-inspect.ts';
import { decodeExec } from '../containers/decode-exec.ts';
import { terminalSize } from '../containers/terminal-size.ts';
import { isAtLeast, type ApiVersion } from '../http/api-version.ts';
import { known } from '../http/known.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext, RouteContextOf } from '../http/route.ts';
import { start } from './start.ts';

const NOT_BEGUN = 126;

/** Exec endpoints: made below their container, then named by their own id. */
export const execRoutes: readonly Route[] = [
  ...inGroup('containers', [
    { method: 'POST', path: '/containers/:id/exec', body: 'json', verb: 'exec', handle: create },
  ]),
  ...inGroup('exec', [
    { method: 'POST', path: '/exec/:id/start', body: 'json', hijack: true, handle: start },
    { method: 'POST', path: '/exec/:id/resize', parameters: 'exec resize', body: 'none', handle: resize },
    { method: 'GET', path: '/exec/:id/json', body: 'none', handle: inspect },
  ]),
];

function create(context: RouteContext): Promise<void> {
  const { job } = context;
  const request = known(job, 'exec', decodeExec(context.body, context.apiVersion));
  context.json(201, { Id: createExec(job, context.param('id'), request).id });
  return Promise.resolve();
}

async function resize(context: RouteContextOf<'exec resize'>): Promise<void> {
  await resizeExec(context.job, context.param('id'), terminalSize(context.query));
  context.empty(200);
}

// Before 23.0, which brought API 1.42, whatever could not be begun had exit code 126.
function exitCodeOf({ ExitCode: code, Pid: pid }: ExecInspect, version: ApiVersion): number | null {
  return code !== null && pid === 0 && !isAtLeast(version, '1.42') ? NOT_BEGUN : code;
}

function inspect(context: RouteContext): Promise<void> {
  const shown = inspectExec(context.job, context.param('id'));
  context.json(200, { ...shown, ExitCode: exitCodeOf(shown, context.apiVersion) });
  return Promise.resolve();
}
