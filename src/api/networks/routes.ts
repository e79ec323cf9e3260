import { connectContainer } from '../../engine/networks/connect-container.ts';
import { createNetwork } from '../../engine/networks/create-network.ts';
import { disconnectContainer } from '../../engine/networks/disconnect-container.ts';
import { inspectNetwork } from '../../engine/networks/inspect-network.ts';
import { listNetworks } from '../../engine/networks/list-networks.ts';
import { pruneNetworks } from '../../engine/networks/prune-networks.ts';
import { removeNetwork } from '../../engine/networks/remove-network.ts';
import { EngineError } from '../../errors.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext } from '../http/route.ts';
import { decodeMembership, decodeNetwork } from './decode-network.ts';

/** Every endpoint below `/networks`. */
export const networkRoutes: readonly Route[] = inGroup('networks', [
  { method: 'GET', path: '/networks', body: 'none', handle: list },
  { method: 'POST', path: '/networks/create', body: 'json', handle: create },
  { method: 'POST', path: '/networks/prune', body: 'none', minApiVersion: '1.25', handle: prune },
  { method: 'GET', path: '/networks/:id', body: 'none', handle: inspect },
  { method: 'DELETE', path: '/networks/:id', body: 'none', handle: remove },
  { method: 'POST', path: '/networks/:id/connect', body: 'json', handle: connect },
  { method: 'POST', path: '/networks/:id/disconnect', body: 'json', handle: disconnect },
]);

function list(context: RouteContext): Promise<void> {
  context.json(200, listNetworks(context.job, context.query.filters()));
  return Promise.resolve();
}

function inspect(context: RouteContext): Promise<void> {
  const scope = context.query.string('scope');
  checkVerbose(context.query.string('verbose'));
  context.json(200, inspectNetwork(context.job, context.param('id'), { scope }));
  return Promise.resolve();
}

/** Details of swarm's tasks, of which there are none; what is no boolean in Go's words is refused as by dockerd. */
function checkVerbose(text: string): void {
  if (text === '' || /^(1|0|[tTfF]|true|TRUE|True|false|FALSE|False)$/.test(text)) return;
  throw new EngineError(
    'InvalidArgument',
    `invalid value for verbose: ${text}: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

async function create(context: RouteContext): Promise<void> {
  context.json(201, await createNetwork(context.job, decodeNetwork(context.body)));
}

async function remove(context: RouteContext): Promise<void> {
  await removeNetwork(context.job, context.param('id'));
  context.empty(204);
}

async function connect(context: RouteContext): Promise<void> {
  const { Container: containerRef, EndpointConfig: settings } = decodeMembership(context.body);
  await connectContainer(context.job, { networkRef: context.param('id'), containerRef, settings });
  context.empty(200);
}

async function disconnect(context: RouteContext): Promise<void> {
  const { Container: containerRef } = decodeMembership(context.body);
  await disconnectContainer(context.job, { networkRef: context.param('id'), containerRef });
  context.empty(200);
}

async function prune(context: RouteContext): Promise<void> {
  context.json(200, await pruneNetworks(context.job, context.query.filters()));
}
