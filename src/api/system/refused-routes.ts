import { EngineError } from '../../errors.ts';
import type { Route, RouteMethod } from '../http/route.ts';

interface RefusedEndpoint {
  readonly path: string;
  readonly methods: readonly RouteMethod[];
}

const ANY: readonly RouteMethod[] = ['GET', 'POST', 'DELETE'];

const SWARM_ENDPOINTS: readonly RefusedEndpoint[] = [
  'swarm',
  'nodes',
  'services',
  'tasks',
  'secrets',
  'configs',
].flatMap((name) => [
  { path: `/${name}`, methods: ['GET'] },
  { path: `/${name}/:rest*`, methods: ANY },
]);

const NOT_A_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

const NO_BUILD =
  'building images is not supported by this daemon (DOCKER_BUILDKIT=0 does not change that): ' +
  'build in the job itself with a daemonless builder, or pull or load a ready image';

/** Known endpoints that are refused, with what to do instead. */
const UNSUPPORTED: readonly (RefusedEndpoint & { readonly message: string })[] = [
  { path: '/build', methods: ['POST'], message: NO_BUILD },
  { path: '/build/:verb', methods: ['POST'], message: NO_BUILD },
  { path: '/session', methods: ['POST'], message: NO_BUILD },
  { path: '/grpc', methods: ['POST'], message: NO_BUILD },
  {
    path: '/commit',
    methods: ['POST'],
    message: 'making an image from a container is not supported by this daemon: load a ready image',
  },
  {
    path: '/containers/:id/attach/ws',
    methods: ['GET'],
    message: 'attaching by WebSocket is not supported: use POST /containers/{id}/attach',
  },
  {
    path: '/containers/:id/checkpoints',
    methods: ['GET', 'POST'],
    message: 'checkpoints are not supported by this daemon',
  },
  {
    path: '/plugins/:rest*',
    methods: ANY,
    message: 'plugins are not supported: they would run outside of the job',
  },
];

function refusing(endpoint: RefusedEndpoint, error: () => EngineError): readonly Route[] {
  return endpoint.methods.map((method) => ({
    method,
    path: endpoint.path,
    body: 'none',
    handle: () => Promise.reject(error()),
  }));
}

/** Endpoints that this daemon knows and does not serve. */
export const refusedRoutes: readonly Route[] = [
  ...SWARM_ENDPOINTS.flatMap((endpoint) =>
    refusing(endpoint, () => new EngineError('Unavailable', NOT_A_MANAGER)),
  ),
  ...UNSUPPORTED.flatMap((endpoint) =>
    refusing(endpoint, () => new EngineError('NotImplemented', endpoint.message)),
  ),
];
