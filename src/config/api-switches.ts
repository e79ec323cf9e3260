import { EngineError } from '../errors.ts';
import type { ApiProfile, EndpointPermissions, EndpointSwitch } from '../policy/endpoint-permissions.ts';

/** Every switch of `[api]`, with the other names it is known by. */
const SWITCHES: Readonly<Record<EndpointSwitch, readonly string[]>> = {
  post: [],
  auth: [],
  build: [],
  commit: [],
  configs: [],
  containers: [],
  distribution: [],
  events: [],
  exec: [],
  grpc: [],
  images: [],
  info: [],
  networks: [],
  nodes: [],
  ping: [],
  plugins: [],
  secrets: [],
  services: [],
  session: [],
  swarm: [],
  system: [],
  tasks: [],
  version: [],
  volumes: [],
  allow_start: [],
  allow_stop: [],
  allow_restarts: [],
  allow_exec: [],
  kill: ['allow_kill'],
  delete: ['allow_delete'],
};

type Switches = EndpointPermissions['given'];

/** The names under which `[api]` takes a switch, with the switch that is meant. */
export const API_SWITCHES: ReadonlyMap<string, EndpointSwitch> = new Map(
  (Object.keys(SWITCHES) as EndpointSwitch[]).flatMap((name) =>
    [name, ...SWITCHES[name]].map((key) => [key, name] as const),
  ),
);

/**
 * What the file says, and for docker-socket-proxy's users what the environment of berth says, which wins; a variable
 * that is neither 0 nor 1 is an error, for it may be meant for somebody else.
 */
export function endpointPermissions(
  file: { readonly profile: string; readonly switches: Switches },
  environment: NodeJS.ProcessEnv,
): EndpointPermissions {
  const profile = apiProfile(file.profile);
  return {
    profile,
    given: profile === 'job' ? file.switches : { ...file.switches, ...switchesOf(environment) },
  };
}

function apiProfile(value: string): ApiProfile {
  if (value === 'job' || value === 'socket-proxy') return value;
  throw new EngineError('InvalidArgument', `api.profile is job or socket-proxy, not "${value}"`);
}

function switchesOf(environment: NodeJS.ProcessEnv): Switches {
  const found: Partial<Record<EndpointSwitch, boolean>> = {};
  for (const [key, name] of API_SWITCHES) {
    const variable = key.toUpperCase();
    const value = environment[variable];
    if (value === undefined) continue;
    // The value is not shown: another program's AUTH or SECRETS may be a secret.
    if (!['0', '1', ''].includes(value))
      throw new EngineError('InvalidArgument', `the environment variable ${variable} must be 0 or 1`);
    found[name] = value === '1';
  }
  return found;
}
