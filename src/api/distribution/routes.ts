import { inspectDistribution } from '../../engine/images/inspect-distribution.ts';
import { parsePullReference } from '../../engine/images/pull-reference.ts';
import { decodeRegistryAuth } from '../http/registry-auth.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext } from '../http/route.ts';

/** `/distribution/…` */
export const distributionRoutes: readonly Route[] = inGroup('distribution', [
  { method: 'GET', path: '/distribution/:name*/json', body: 'none', minApiVersion: '1.30', handle: inspect },
]);

async function inspect(context: RouteContext): Promise<void> {
  const header = context.headers['x-registry-auth'];
  const credentials = decodeRegistryAuth(Array.isArray(header) ? header[0] : header);
  const found = await inspectDistribution(context.job, {
    reference: parsePullReference(context.param('name'), ''),
    ...(credentials ? { credentials } : {}),
    signal: context.signal,
  });
  context.json(200, found);
}
