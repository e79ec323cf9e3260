import { listContainers } from '../../engine/containers/list-containers.ts';
import { pruneContainers } from '../../engine/containers/prune-containers.ts';
import type { ContainerSummary } from '../../wire/container-summary.ts';
import { isAtLeast } from '../http/api-version.ts';
import type { RouteDefinition, RouteContextOf } from '../http/route.ts';

/** Endpoints about all containers at once. */
export const listRoutes: readonly RouteDefinition[] = [
  { method: 'GET', path: '/containers/json', parameters: 'container list', body: 'none', handle: list },
  { method: 'POST', path: '/containers/prune', parameters: 'container prune', body: 'none', handle: prune },
];

async function list(context: RouteContextOf<'container list'>): Promise<void> {
  const { job, query } = context;
  const listed = await listContainers(job, {
    all: query.bool('all'),
    limit: query.int('limit') ?? 0,
    includeSize: query.bool('size'),
    filters: query.filters('filters'),
  });
  context.json(200, isAtLeast(context.apiVersion, '1.46') ? listed : listed.map(withoutAnnotations));
}

function withoutAnnotations(container: ContainerSummary): ContainerSummary {
  const { NetworkMode } = container.HostConfig;
  return { ...container, HostConfig: { NetworkMode } };
}

async function prune(context: RouteContextOf<'container prune'>): Promise<void> {
  context.json(200, await pruneContainers(context.job, context.query.filters('filters')));
}
