import { systemInfo } from '../../engine/system/info.ts';
import { systemVersion } from '../../engine/system/version.ts';
import { isAtLeast, MAX_API_VERSION, MIN_API_VERSION } from '../http/api-version.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext } from '../http/route.ts';
import { disk } from './disk-usage.ts';
import { events } from './events.ts';
import { ping, pingHead } from './ping.ts';
import { pruneRoutes } from './prune.ts';
import { refusedRoutes } from './refused-routes.ts';

/** What is said about the engine itself, and the endpoints it knows but refuses. */
export const systemRoutes: readonly Route[] = [
  ...inGroup('ping', [
    { method: 'GET', path: '/_ping', body: 'none', handle: ping },
    { method: 'HEAD', path: '/_ping', body: 'none', handle: pingHead },
  ]),
  ...inGroup('version', [{ method: 'GET', path: '/version', body: 'none', handle: version }]),
  ...inGroup('info', [{ method: 'GET', path: '/info', body: 'none', handle: info }]),
  ...inGroup('events', [
    { method: 'GET', path: '/events', parameters: 'events', body: 'none', handle: events },
  ]),
  ...inGroup('plugins', [
    { method: 'GET', path: '/plugins', parameters: 'plugin list', body: 'none', handle: listPlugins },
  ]),
  ...inGroup('system', [
    { method: 'OPTIONS', path: '/:any*', body: 'none', handle: options },
    { method: 'GET', path: '/system/df', parameters: 'disk usage', body: 'none', handle: disk },
  ]),
  ...pruneRoutes,
  ...refusedRoutes,
];

async function version(context: RouteContext): Promise<void> {
  context.json(200, await systemVersion(context.job, { newest: MAX_API_VERSION, oldest: MIN_API_VERSION }));
}

/** Shapes of older versions: the expected commits left with 1.50 (and came back never), the bridge's flags too. */
async function info(context: RouteContext): Promise<void> {
  const { BridgeNfIptables, BridgeNfIp6tables, ...facts } = await systemInfo(context.job);
  if (isAtLeast(context.apiVersion, '1.50')) {
    context.json(200, facts);
    return;
  }
  const withExpected = ({ ID }: { readonly ID: string }): object => ({ ID, Expected: ID });
  context.json(200, {
    ...facts,
    BridgeNfIptables,
    BridgeNfIp6tables,
    ...(isAtLeast(context.apiVersion, '1.42') ? {} : { KernelMemory: false }),
    ...(isAtLeast(context.apiVersion, '1.47') ? {} : { RegistryConfig: withNondistributable(facts) }),
    ContainerdCommit: withExpected(facts.ContainerdCommit),
    RuncCommit: withExpected(facts.RuncCommit),
    InitCommit: withExpected(facts.InitCommit),
  });
}

/** Until API 1.46 the lists of registries that get layers that may not be distributed: there are none. */
function withNondistributable({ RegistryConfig: config }: Awaited<ReturnType<typeof systemInfo>>): object {
  return {
    AllowNondistributableArtifactsCIDRs: [],
    AllowNondistributableArtifactsHostnames: [],
    ...config,
  };
}

function listPlugins(context: RouteContext): Promise<void> {
  context.json(200, []);
  return Promise.resolve();
}

/** As dockerd: any path, nothing said, and no word that would let a web page in. */
function options(context: RouteContext): Promise<void> {
  context.empty(200);
  return Promise.resolve();
}
