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
  // Newer clients say what may be used and what must stay; both leave the larger of the two.
  const spaces = (['keep-storage', 'reserved-space', 'max-used-space'] as const).map(
    (name) => query.int(name) ?? 0,
  );
  // Read for its form alone: how much of the disk is free is not the job's affair.
  query.int('min-free-space');
  const keepBytes = Math.max(...spaces);
  const all = query.bool('all');
  context.json(200, await pruneCache(job, { all, keepBytes, filters: query.filters('filters') }));
}
