import { UnservedError } from '../../errors.ts';
import type { EndpointGroup } from '../../wire/endpoint-group.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext, RouteDefinition, RouteMethod } from '../http/route.ts';

interface RefusedEndpoint {
  readonly group: EndpointGroup;
  readonly path: string;
  readonly methods: readonly RouteMethod[];
}

const ANY: readonly RouteMethod[] = ['GET', 'POST', 'DELETE'];

const SWARM_GROUPS = ['swarm', 'nodes', 'services', 'tasks', 'secrets', 'configs'] as const;

const SWARM_ENDPOINTS: readonly RefusedEndpoint[] = SWARM_GROUPS.flatMap((group) => [
  { group, path: `/${group}`, methods: ['GET'] },
  { group, path: `/${group}/:rest*`, methods: ANY },
]);

const NOT_A_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

const NO_CHECKPOINTS = 'checkpoints are not supported by this daemon';

/** Known endpoints that are refused, with what to do instead. */
const UNSUPPORTED: readonly (RefusedEndpoint & { readonly message: string })[] = [
  {
    group: 'build',
    path: '/build/cancel',
    methods: ['POST'],
    message: 'cancelling a build by its id is not supported: close its connection',
  },
  {
    group: 'containers',
    path: '/containers/:id/checkpoints',
    methods: ['GET', 'POST'],
    message: NO_CHECKPOINTS,
  },
  {
    group: 'containers',
    path: '/containers/:id/checkpoints/:name',
    methods: ['DELETE'],
    message: NO_CHECKPOINTS,
  },
  {
    group: 'images',
    path: '/images/search',
    methods: ['GET'],
    message: 'searching Docker Hub is not supported by this daemon: name the image that is to be pulled',
  },
  {
    group: 'plugins',
    path: '/plugins/:rest*',
    methods: ['GET', 'POST'],
    message: 'plugins are not supported: they would run outside of the job',
  },
];

const NO_SWARM = 'This node is not part of a swarm';

/** What dockerd answers of a plugin that is not there: no plugin ever is, for they would run outside of the job. */
const PLUGIN_VERBS: readonly (readonly [RouteMethod, string])[] = [
  ['GET', '/plugins/:name*/json'],
  ['DELETE', '/plugins/:name*'],
  ['POST', '/plugins/:name*/enable'],
  ['POST', '/plugins/:name*/disable'],
  ['POST', '/plugins/:name*/push'],
  ['POST', '/plugins/:name*/set'],
  ['POST', '/plugins/:name*/upgrade'],
];

const pluginRoutes: readonly Route[] = inGroup(
  'plugins',
  PLUGIN_VERBS.map(([method, path]) => refused({ method, path }, ({ name = '' }) => noPlugin(name))),
);

function noPlugin(name: string): UnservedError {
  return new UnservedError('NotFound', `plugin ${JSON.stringify(name)} not found`);
}

function refused(
  at: Pick<RouteDefinition, 'method' | 'path'>,
  refusal: NonNullable<RouteDefinition['refusal']>,
): RouteDefinition {
  const handle = ({ params }: RouteContext): Promise<never> => Promise.reject(refusal(params));
  return { ...at, body: 'none', refusal, handle };
}

function refusing({ group, methods, path }: RefusedEndpoint, error: () => UnservedError): readonly Route[] {
  return inGroup(
    group,
    methods.map((method) => refused({ method, path }, error)),
  );
}

/** Endpoints that this daemon knows and does not serve. */
export const refusedRoutes: readonly Route[] = [
  ...pluginRoutes,
  ...refusing(
    { group: 'swarm', path: '/swarm/leave', methods: ['POST'] },
    () => new UnservedError('Unavailable', NO_SWARM),
  ),
  ...SWARM_ENDPOINTS.flatMap((endpoint) =>
    refusing(endpoint, () => new UnservedError('Unavailable', NOT_A_MANAGER)),
  ),
  ...UNSUPPORTED.flatMap((endpoint) =>
    refusing(endpoint, () => new UnservedError('NotImplemented', endpoint.message)),
  ),
];
