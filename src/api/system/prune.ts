import { pruneImages } from '../../engine/system/prune-images.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContextOf } from '../http/route.ts';

/** What `docker system prune` asks for besides containers, networks and volumes. */
export const pruneRoutes: readonly Route[] = [
  ...inGroup('images', [
    { method: 'POST', path: '/images/prune', parameters: 'image prune', body: 'none', handle: images },
  ]),
  ...inGroup('build', []),
];

async function images(context: RouteContextOf<'image prune'>): Promise<void> {
  context.json(200, await pruneImages(context.job, context.query.filters('filters')));
}
