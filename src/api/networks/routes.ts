import { connectContainer } from '../../engine/networks/connect-container.ts';
import { createNetwork } from '../../engine/networks/create-network.ts';
import { disconnectContainer } from '../../engine/networks/disconnect-container.ts';
import { inspectNetwork } from '../../engine/networks/inspect-network.ts';
import { listNetworks } from '../../engine/networks/list-networks.ts';
import { pruneNetworks } from '../../engine/networks/prune-networks.ts';
import { removeNetwork } from '../../engine/networks/remove-network.ts';
import { isAtLeast } from '../http/api-version.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext, RouteContextOf } from '../http/route.ts';
import { known } from '../http/known.ts';
import { decodeConnect, decodeDisconnect, decodeNetwork } from './decode-network.ts';

/** Every endpoint below `/networks`. */
export const networkRoutes: readonly Route[] = inGroup('networks', [
  { method: 'GET', path: '/networks', parameters: 'network list', body: 'none', handle: list },
  // As dockerd has it: by this path, too.
  { method: 'GET', path: '/networks/', parameters: 'network list', body: 'none', handle: list },
  { method: 'POST', path: '/networks/create', body: 'json', handle: create },
  {
    method: 'POST',
    path: '/networks/prune',
    parameters: 'network prune',
    body: 'none',
    minApiVersion: '1.25',
    handle: prune,
  },
  { method: 'GET', path: '/networks/:id', parameters: 'network inspect', body: 'none', handle: inspect },
  { method: 'DELETE', path: '/networks/:id', body: 'none', handle: remove },
  { method: 'POST', path: '/networks/:id/connect', body: 'json', handle: connect },
  { method: 'POST', path: '/networks/:id/disconnect', body: 'json', handle: disconnect },
]);

function list(context: RouteContextOf<'network list'>): Promise<void> {
  context.json(200, listNetworks(context.job, context.query.filters('filters')));
  return Promise.resolve();
}

function inspect(context: RouteContextOf<'network inspect'>): Promise<void> {
  const scope = context.query.string('scope');
  context.json(200, inspectNetwork(context.job, context.param('id'), { scope }));
  return Promise.resolve();
}

async function create(context: RouteContext): Promise<void> {
  const { job, body, apiVersion } = context;
  const request = known(job, 'network create', decodeNetwork(body));
  // Daemons before 25.0, which brought API 1.44, cut what is below the prefix.
  const mayHaveHostBits = !isAtLeast(apiVersion, '1.44');
  context.json(201, await createNetwork(job, request, { mayHaveHostBits }));
}

async function remove(context: RouteContext): Promise<void> {
  await removeNetwork(context.job, context.param('id'));
  context.empty(204);
}

async function connect(context: RouteContext): Promise<void> {
  const { job, body } = context;
  const request = known(job, 'network connect', decodeConnect(body));
  await connectContainer(job, context.param('id'), request);
  context.empty(200);
}

async function disconnect(context: RouteContext): Promise<void> {
  const { job, body } = context;
  const request = known(job, 'network disconnect', decodeDisconnect(body));
  await disconnectContainer(job, context.param('id'), request);
  context.empty(200);
}

async function prune(context: RouteContextOf<'network prune'>): Promise<void> {
  context.json(200, await pruneNetworks(context.job, context.query.filters('filters')));
}
