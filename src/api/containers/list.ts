import { listContainers } from '../../engine/containers/list-containers.ts';
import { pruneContainers } from '../../engine/containers/prune-containers.ts';
import type { RouteDefinition, RouteContextOf } from '../http/route.ts';

/** Endpoints about all containers at once. */
export const listRoutes: readonly RouteDefinition[] = [
  { method: 'GET', path: '/containers/json', parameters: 'container list', body: 'none', handle: list },
  { method: 'POST', path: '/containers/prune', parameters: 'container prune', body: 'none', handle: prune },
];

async function list(context: RouteContextOf<'container list'>): Promise<void> {
  const { job, query } = context;
  context.json(
    200,
    await listContainers(job, {
      all: query.bool('all'),
      limit: query.int('limit') ?? 0,
      includeSize: query.bool('size'),
      filters: query.filters('filters'),
    }),
  );
}

async function prune(context: RouteContextOf<'container prune'>): Promise<void> {
  context.json(200, await pruneContainers(context.job, context.query.filters('filters')));
}
