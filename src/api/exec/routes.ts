import { createExec } from '../../engine/exec/create-exec.ts';
import { inspectExec } from '../../engine/exec/inspect-exec.ts';
import { resizeExec } from '../../engine/exec/resize-exec.ts';
import { decodeExec } from '../containers/decode-exec.ts';
import { terminalSize } from '../containers/terminal-size.ts';
import { known } from '../http/known.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext, RouteContextOf } from '../http/route.ts';
import { start } from './start.ts';

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

function inspect(context: RouteContext): Promise<void> {
  context.json(200, inspectExec(context.job, context.param('id')));
  return Promise.resolve();
}
