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
import { EngineError } from '../../errors.ts';
import type { Query } from '../http/query.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext } from '../http/route.ts';
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
  { method: 'POST', path: '/containers/create', body: 'json', handle: create },
  { method: 'GET', path: '/containers/:id/json', body: 'none', handle: inspect },
  { method: 'GET', path: '/containers/:id/top', body: 'none', handle: top },
  { method: 'GET', path: '/containers/:id/stats', body: 'none', handle: stats },
  { method: 'GET', path: '/containers/:id/logs', body: 'none', handle: logs },
  { method: 'GET', path: '/containers/:id/changes', body: 'none', handle: changes },
  { method: 'GET', path: '/containers/:id/export', body: 'none', handle: exportFiles },
  { method: 'POST', path: '/containers/:id/update', body: 'json', handle: update },
  { method: 'POST', path: '/containers/:id/start', body: 'json', verb: 'start', handle: start },
  { method: 'POST', path: '/containers/:id/stop', body: 'none', verb: 'stop', handle: stop },
  { method: 'POST', path: '/containers/:id/restart', body: 'none', verb: 'restart', handle: restart },
  { method: 'POST', path: '/containers/:id/kill', body: 'none', verb: 'kill', handle: kill },
  { method: 'POST', path: '/containers/:id/pause', body: 'none', handle: pause },
  { method: 'POST', path: '/containers/:id/unpause', body: 'none', handle: unpause },
  { method: 'POST', path: '/containers/:id/resize', body: 'none', handle: resize },
  { method: 'POST', path: '/containers/:id/rename', body: 'none', handle: rename },
  { method: 'POST', path: '/containers/:id/wait', body: 'none', handle: wait },
  { method: 'POST', path: '/containers/:id/attach', body: 'none', hijack: true, handle: attach },
  { method: 'GET', path: '/containers/:id/attach/ws', body: 'none', hijack: true, handle: attachWebSocket },
  { method: 'DELETE', path: '/containers/:id*', body: 'none', verb: 'delete', handle: remove },
  ...archiveRoutes,
]);

async function create(context: RouteContext): Promise<void> {
  const { request, ignored } = decodeCreate(context.body, context.apiVersion);
  const { id, warnings } = await createContainer(context.job, {
    name: context.query.string('name'),
    platform: context.query.string('platform'),
    request,
    warnings: ignored.map((field) => `${field} is not a field of this API and was ignored`),
  });
  context.json(201, { Id: id, Warnings: warnings });
}

async function inspect(context: RouteContext): Promise<void> {
  const { job, query } = context;
  const shown = await inspectContainer(job, context.param('id'), { includeSize: query.bool('size') });
  context.json(200, shapeInspect(shown, context.apiVersion));
}

async function top(context: RouteContext): Promise<void> {
  context.json(
    200,
    await topContainer(context.job, context.param('id'), { psArgs: context.query.string('ps_args') }),
  );
}

/** Before API 1.24 a start could carry a HostConfig; the gate would have to see it, so it is refused as dockerd does. */
async function start(context: RouteContext): Promise<void> {
  if (context.body.length > 7)
    throw new EngineError(
      'InvalidArgument',
      'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
    );
  await startContainer(context.job, context.param('id'));
  context.empty(204);
}

function stopOptions(query: Query): StopOptions {
  return { timeoutSeconds: query.int('t'), signal: query.string('signal') || undefined };
}

async function stop(context: RouteContext): Promise<void> {
  await stopContainer(context.job, context.param('id'), stopOptions(context.query));
  context.empty(204);
}

async function restart(context: RouteContext): Promise<void> {
  await restartContainer(context.job, context.param('id'), stopOptions(context.query));
  context.empty(204);
}

async function kill(context: RouteContext): Promise<void> {
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

async function resize(context: RouteContext): Promise<void> {
  await resizeContainer(context.job, context.param('id'), terminalSize(context.query));
  context.empty(200);
}

async function rename(context: RouteContext): Promise<void> {
  await renameContainer(context.job, context.param('id'), context.query.string('name'));
  context.empty(204);
}

async function remove(context: RouteContext): Promise<void> {
  const { job, query } = context;
  if (query.bool('link')) await removeLink(job, context.param('id'));
  else
    await removeContainer(job, context.param('id'), {
      force: query.bool('force'),
      removeVolumes: query.bool('v'),
    });
  context.empty(204);
}
