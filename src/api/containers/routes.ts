import { createContainer } from '../../engine/containers/create-container.ts';
import { inspectContainer } from '../../engine/containers/inspect-container.ts';
import { killContainer } from '../../engine/containers/kill-container.ts';
import { pauseContainer, unpauseContainer } from '../../engine/containers/pause-container.ts';
import { removeContainer } from '../../engine/containers/remove-container.ts';
import { removeLink } from '../../engine/containers/remove-link.ts';
import { renameContainer } from '../../engine/containers/rename-container.ts';
import { resizeContainer } from '../../engine/containers/resize-container.ts';
import { restartContainer } from '../../engine/containers/restart-container.ts';
import { startContainer } from '../../engine/containers/start-container.ts';
import { stopContainer, type StopOptions } from '../../engine/containers/stop-container.ts';
import { topContainer } from '../../engine/containers/top-container.ts';
import { ShapeError } from '../../errors.ts';
import { isAtLeast } from '../http/api-version.ts';
import { recordIgnored } from '../../engine/system/record-ignored.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext, RouteContextOf } from '../http/route.ts';
import { archiveRoutes } from './archive.ts';
import { attach, attachWebSocket } from './attach.ts';
import { changes } from './changes.ts';
import { decodeCreate } from './decode-create.ts';
import { exportFiles } from './export.ts';
import { listRoutes } from './list.ts';
import { logs } from './logs.ts';
import { shapeInspect } from './shape.ts';
import { stats } from './stats.ts';
import { terminalSize } from './terminal-size.ts';
import { update } from './update.ts';
import { wait } from './wait.ts';

/** Every endpoint below `/containers`. */
export const containerRoutes: readonly Route[] = inGroup('containers', [
  ...listRoutes,
  {
    method: 'POST',
    path: '/containers/create',
    parameters: 'container create',
    body: 'json',
    handle: create,
  },
  {
    method: 'GET',
    path: '/containers/:id/json',
    parameters: 'container inspect',
    body: 'none',
    handle: inspect,
  },
  { method: 'GET', path: '/containers/:id/top', parameters: 'container top', body: 'none', handle: top },
  {
    method: 'GET',
    path: '/containers/:id/stats',
    parameters: 'container stats',
    body: 'none',
    handle: stats,
  },
  { method: 'GET', path: '/containers/:id/logs', parameters: 'container logs', body: 'none', handle: logs },
  { method: 'GET', path: '/containers/:id/changes', body: 'none', handle: changes },
  { method: 'GET', path: '/containers/:id/export', body: 'none', handle: exportFiles },
  { method: 'POST', path: '/containers/:id/update', body: 'json', handle: update },
  {
    method: 'POST',
    path: '/containers/:id/start',
    parameters: 'container start',
    body: 'json',
    verb: 'start',
    handle: start,
  },
  {
    method: 'POST',
    path: '/containers/:id/stop',
    parameters: 'container stop',
    body: 'none',
    verb: 'stop',
    handle: stop,
  },
  {
    method: 'POST',
    path: '/containers/:id/restart',
    parameters: 'container restart',
    body: 'none',
    verb: 'restart',
    handle: restart,
  },
  {
    method: 'POST',
    path: '/containers/:id/kill',
    parameters: 'container kill',
    body: 'none',
    verb: 'kill',
    handle: kill,
  },
  { method: 'POST', path: '/containers/:id/pause', body: 'none', handle: pause },
  { method: 'POST', path: '/containers/:id/unpause', body: 'none', handle: unpause },
  {
    method: 'POST',
    path: '/containers/:id/resize',
    parameters: 'container resize',
    body: 'none',
    handle: resize,
  },
  {
    method: 'POST',
    path: '/containers/:id/rename',
    parameters: 'container rename',
    body: 'none',
    handle: rename,
  },
  { method: 'POST', path: '/containers/:id/wait', parameters: 'container wait', body: 'none', handle: wait },
  {
    method: 'POST',
    path: '/containers/:id/attach',
    parameters: 'container attach',
    body: 'none',
    hijack: true,
    handle: attach,
  },
  {
    method: 'GET',
    path: '/containers/:id/attach/ws',
    parameters: 'container attach',
    body: 'none',
    hijack: true,
    handle: attachWebSocket,
  },
  {
    method: 'DELETE',
    path: '/containers/:id*',
    parameters: 'container delete',
    body: 'none',
    verb: 'delete',
    handle: remove,
  },
  ...archiveRoutes,
]);

async function create(context: RouteContextOf<'container create'>): Promise<void> {
  const { request, ignored } = decodeCreate(context.body, context.apiVersion);
  recordIgnored(context.job, 'create', ignored);
  const { id, warnings } = await createContainer(context.job, {
    name: context.query.string('name'),
    platform: isAtLeast(context.apiVersion, '1.41') ? context.query.string('platform') : '',
    request,
    warnings: ignored.map((field) => `${field} is not a field of this API and was ignored`),
  });
  context.json(201, { Id: id, Warnings: warnings });
}

async function inspect(context: RouteContextOf<'container inspect'>): Promise<void> {
  const { job, query } = context;
  const shown = await inspectContainer(job, context.param('id'), { includeSize: query.bool('size') });
  context.json(200, shapeInspect(shown, context.apiVersion));
}

async function top(context: RouteContextOf<'container top'>): Promise<void> {
  context.json(
    200,
    await topContainer(context.job, context.param('id'), {
      psArgs: context.query.string('ps_args'),
      signal: context.signal,
    }),
  );
}

/** Before API 1.24 a start could carry a HostConfig; the gate would have to see it, so it is refused as dockerd does. */
export function requireNoStartBody(body: Uint8Array): void {
  if (body.length > 7)
    throw new ShapeError(
      'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
    );
}

async function start(context: RouteContextOf<'container start'>): Promise<void> {
  requireNoStartBody(context.body);
  await startContainer(context.job, context.param('id'));
  context.empty(204);
}

function stopOptions({ query, apiVersion }: RouteContextOf<'container stop'>): StopOptions {
  const signal = isAtLeast(apiVersion, '1.42') ? query.string('signal') : '';
  return { timeoutSeconds: query.int('t'), signal: signal || undefined };
}

async function stop(context: RouteContextOf<'container stop'>): Promise<void> {
  await stopContainer(context.job, context.param('id'), stopOptions(context));
  context.empty(204);
}

async function restart(context: RouteContextOf<'container restart'>): Promise<void> {
  await restartContainer(context.job, context.param('id'), stopOptions(context));
  context.empty(204);
}

async function kill(context: RouteContextOf<'container kill'>): Promise<void> {
  await killContainer(context.job, context.param('id'), context.query.string('signal'));
  context.empty(204);
}

async function pause(context: RouteContext): Promise<void> {
  await pauseContainer(context.job, context.param('id'));
  context.empty(204);
}

async function unpause(context: RouteContext): Promise<void> {
  await unpauseContainer(context.job, context.param('id'));
  context.empty(204);
}

async function resize(context: RouteContextOf<'container resize'>): Promise<void> {
  await resizeContainer(context.job, context.param('id'), terminalSize(context.query));
  context.empty(200);
}

async function rename(context: RouteContextOf<'container rename'>): Promise<void> {
  await renameContainer(context.job, context.param('id'), context.query.string('name'));
  context.empty(204);
}

async function remove(context: RouteContextOf<'container delete'>): Promise<void> {
  const { job, query, apiVersion } = context;
  if (query.bool('link')) await removeLink(job, context.param('id'));
  else
    await removeContainer(job, context.param('id'), {
      force: query.bool('force'),
      removeVolumes: query.bool('v'),
      isNewlyWorded: isAtLeast(apiVersion, '1.44'),
    });
  context.empty(204);
}
