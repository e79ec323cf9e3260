import { createVolume } from '../../engine/volumes/create-volume.ts';
import { inspectVolume } from '../../engine/volumes/inspect-volume.ts';
import { listVolumes } from '../../engine/volumes/list-volumes.ts';
import { pruneVolumes } from '../../engine/volumes/prune-volumes.ts';
import { removeVolume } from '../../engine/volumes/remove-volume.ts';
import { isAtLeast } from '../http/api-version.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext } from '../http/route.ts';
import { decodeVolume } from './decode-volume.ts';

/** Every endpoint below `/volumes`. */
export const volumeRoutes: readonly Route[] = inGroup('volumes', [
  { method: 'GET', path: '/volumes', body: 'none', handle: list },
  { method: 'POST', path: '/volumes/create', body: 'json', handle: create },
  { method: 'POST', path: '/volumes/prune', body: 'none', minApiVersion: '1.25', handle: prune },
  { method: 'GET', path: '/volumes/:name', body: 'none', handle: inspect },
  { method: 'DELETE', path: '/volumes/:name', body: 'none', handle: remove },
]);

function list(context: RouteContext): Promise<void> {
  context.json(200, listVolumes(context.job, context.query.filters()));
  return Promise.resolve();
}

async function create(context: RouteContext): Promise<void> {
  context.json(201, await createVolume(context.job, decodeVolume(context.body)));
}

function inspect(context: RouteContext): Promise<void> {
  context.json(200, inspectVolume(context.job, context.param('name')));
  return Promise.resolve();
}

async function remove(context: RouteContext): Promise<void> {
  await removeVolume(context.job, context.param('name'), { force: context.query.bool('force') });
  context.empty(204);
}

async function prune(context: RouteContext): Promise<void> {
  const { job, query, apiVersion } = context;
  const filters = query.filters();
  context.json(200, await pruneVolumes(job, { filters, sparesNamed: isAtLeast(apiVersion, '1.42') }));
}
