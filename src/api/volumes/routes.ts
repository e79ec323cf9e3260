import { createVolume } from '../../engine/volumes/create-volume.ts';
import { inspectVolume } from '../../engine/volumes/inspect-volume.ts';
import { listVolumes } from '../../engine/volumes/list-volumes.ts';
import { pruneVolumes } from '../../engine/volumes/prune-volumes.ts';
import { removeVolume } from '../../engine/volumes/remove-volume.ts';
import { isAtLeast } from '../http/api-version.ts';
import { known } from '../http/known.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext, RouteContextOf } from '../http/route.ts';
import { decodeVolume } from './decode-volume.ts';

/** Every endpoint below `/volumes`. */
export const volumeRoutes: readonly Route[] = inGroup('volumes', [
  { method: 'GET', path: '/volumes', parameters: 'volume list', body: 'none', handle: list },
  { method: 'POST', path: '/volumes/create', body: 'json', handle: create },
  {
    method: 'POST',
    path: '/volumes/prune',
    parameters: 'volume prune',
    body: 'none',
    minApiVersion: '1.25',
    handle: prune,
  },
  { method: 'GET', path: '/volumes/:name', body: 'none', handle: inspect },
  { method: 'DELETE', path: '/volumes/:name', parameters: 'volume delete', body: 'none', handle: remove },
]);

function list(context: RouteContextOf<'volume list'>): Promise<void> {
  context.json(200, listVolumes(context.job, context.query.filters('filters')));
  return Promise.resolve();
}

async function create(context: RouteContext): Promise<void> {
  const { job, body } = context;
  context.json(201, await createVolume(job, known(job, 'volume create', decodeVolume(body))));
}

function inspect(context: RouteContext): Promise<void> {
  context.json(200, inspectVolume(context.job, context.param('name')));
  return Promise.resolve();
}

async function remove(context: RouteContextOf<'volume delete'>): Promise<void> {
  await removeVolume(context.job, context.param('name'), { force: context.query.bool('force') });
  context.empty(204);
}

async function prune(context: RouteContextOf<'volume prune'>): Promise<void> {
  const { job, query, apiVersion } = context;
  const filters = query.filters('filters');
  context.json(200, await pruneVolumes(job, { filters, sparesNamed: isAtLeast(apiVersion, '1.42') }));
}
