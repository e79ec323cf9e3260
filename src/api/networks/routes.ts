import { connectContainer } from '../../engine/networks/connect-container.ts';
import { createNetwork } from '../../engine/networks/create-network.ts';
import { disconnectContainer } from '../../engine/networks/disconnect-container.ts';
import { inspectNetwork } from '../../engine/networks/inspect-network.ts';
import { listNetworks } from '../../engine/networks/list-networks.ts';
import { pruneNetworks } from '../../engine/networks/prune-networks.ts';
import { removeNetwork } from '../../engine/networks/remove-network.ts';
import type { Route, RouteContext } from '../http/route.ts';
import { decodeMember, decodeNetworkName } from './decode-network.ts';

/** Every endpoint below `/networks`. */
export const networkRoutes: readonly Route[] = [
  { method: 'GET', path: '/networks', body: 'none', handle: list },
  { method: 'POST', path: '/networks/create', body: 'json', handle: create },
  { method: 'POST', path: '/networks/prune', body: 'none', minApiVersion: '1.25', handle: prune },
  { method: 'GET', path: '/networks/:id', body: 'none', handle: inspect },
  { method: 'DELETE', path: '/networks/:id', body: 'none', handle: remove },
  { method: 'POST', path: '/networks/:id/connect', body: 'json', handle: connect },
  { method: 'POST', path: '/networks/:id/disconnect', body: 'json', handle: disconnect },
];

function list(context: RouteContext): Promise<void> {
  context.json(200, listNetworks(context.job, context.query.filters()));
  return Promise.resolve();
}

function inspect(context: RouteContext): Promise<void> {
  const scope = context.query.string('scope');
  context.json(200, inspectNetwork(context.job, context.param('id'), { scope }));
  return Promise.resolve();
}

function create(context: RouteContext): Promise<void> {
  createNetwork(context.job, decodeNetworkName(context.body));
  return Promise.resolve();
}

function remove(context: RouteContext): Promise<void> {
  removeNetwork(context.job, context.param('id'));
  context.empty(204);
  return Promise.resolve();
}

function connect(context: RouteContext): Promise<void> {
  const containerRef = decodeMember(context.body);
  connectContainer(context.job, { networkRef: context.param('id'), containerRef });
  context.empty(200);
  return Promise.resolve();
}

function disconnect(context: RouteContext): Promise<void> {
  const containerRef = decodeMember(context.body);
  disconnectContainer(context.job, { networkRef: context.param('id'), containerRef });
  context.empty(200);
  return Promise.resolve();
}

function prune(context: RouteContext): Promise<void> {
  context.json(200, pruneNetworks(context.job, context.query.filters()));
  return Promise.resolve();
}
