import { pruneCache } from '../../engine/build/prune-cache.ts';
import type { Route, RouteContextOf } from '../http/route.ts';
import { build } from './build.ts';
import { grpc, session } from './buildkit.ts';

/** `/build…`, and the two connections of BuildKit's clients. */
export const buildRoutes: readonly Route[] = [
  { method: 'POST', path: '/build', parameters: 'build', group: 'build', body: 'stream', handle: build },
  {
    method: 'POST',
    path: '/build/prune',
    parameters: 'build prune',
    group: 'build',
    body: 'none',
    minApiVersion: '1.31',
    handle: prune,
  },
  {
    method: 'POST',
    path: '/grpc',
    group: 'grpc',
    body: 'none',
    minApiVersion: '1.31',
    hijack: true,
    handle: grpc,
  },
  {
    method: 'POST',
    path: '/session',
    group: 'session',
    body: 'none',
    minApiVersion: '1.31',
    hijack: true,
    handle: session,
  },
];

async function prune(context: RouteContextOf<'build prune'>): Promise<void> {
  const { job, query } = context;
  const keepBytes =
    query.int('keep-storage') ?? query.int('reserved-space') ?? query.int('max-used-space') ?? 0;
  const all = query.bool('all');
  context.json(200, await pruneCache(job, { all, keepBytes, filters: query.filters('filters') }));
}
