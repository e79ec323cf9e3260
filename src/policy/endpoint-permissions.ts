import type { EndpointGroup, EndpointVerb } from '../wire/endpoint-group.ts';

/** One switch of `[api]`; in the environment its name is in upper case. */
export type EndpointSwitch =
  'post' | EndpointGroup | 'allow_start' | 'allow_stop' | 'allow_restarts' | 'allow_exec' | 'kill' | 'delete';

/** `job`: open unless said otherwise; `socket-proxy`: closed unless said otherwise, as docker-socket-proxy. */
export type ApiProfile = 'job' | 'socket-proxy';

/** Which endpoints a job may use: a profile, and the switches that the operator has set. */
export interface EndpointPermissions {
  readonly profile: ApiProfile;
  readonly given: Readonly<Partial<Record<EndpointSwitch, boolean>>>;
}

/** What is known of an endpoint before anything of the request is read. */
export interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly group: EndpointGroup;
  readonly verb?: EndpointVerb;
}

/** Everything that a job owns is open to it. */
export const JOB_PERMISSIONS: EndpointPermissions = { profile: 'job', given: {} };

const OPEN_IN_SOCKET_PROXY: readonly EndpointSwitch[] = ['events', 'ping', 'version'];

/** Each verb's own switch, and the wider ones that speak for it too. */
const SWITCHES_OF: Readonly<Record<EndpointVerb, readonly EndpointSwitch[]>> = {
  start: ['allow_start'],
  stop: ['allow_stop', 'allow_restarts'],
  restart: ['allow_restarts'],
  kill: ['kill', 'allow_restarts'],
  exec: ['allow_exec'],
  delete: ['delete'],
};

/** Verbs that docker-socket-proxy's CONTAINERS does not open here: each reaches into what others have started. */
const APART: ReadonlySet<EndpointVerb> = new Set(['kill', 'exec', 'delete']);

/** The switches of which one must be on for the endpoint; undefined when it is open. */
export function closedBy(
  endpoint: Endpoint,
  permissions: EndpointPermissions,
): readonly EndpointSwitch[] | undefined {
  const isOn = (name: EndpointSwitch): boolean => isSwitchOn(name, permissions);
  const isRead = endpoint.method === 'GET' || endpoint.method === 'HEAD';
  if (!isRead && !isOn('post')) return ['post'];
  const { group, verb } = endpoint;
  if (verb === undefined) return isOn(group) ? undefined : [group];
  return isVerbOpen(verb, group, permissions) ? undefined : switchesFor(verb, group, permissions);
}

function isSwitchOn(name: EndpointSwitch, { profile, given }: EndpointPermissions): boolean {
  return given[name] ?? (profile === 'job' || OPEN_IN_SOCKET_PROXY.includes(name));
}

function isVerbOpen(verb: EndpointVerb, group: EndpointGroup, permissions: EndpointPermissions): boolean {
  const { profile, given } = permissions;
  const said = SWITCHES_OF[verb].map((name) => given[name]).filter((one) => one !== undefined);
  const byGroup = isSwitchOn(group, permissions) && (verb !== 'exec' || isSwitchOn('exec', permissions));
  // docker-socket-proxy has ALLOW_START=0 and the like as its default: there it closes nothing that CONTAINERS opens.
  if (profile === 'job' || verb === 'exec') return said[0] ?? byGroup;
  return said.includes(true) || (!APART.has(verb) && byGroup);
}

function switchesFor(
  verb: EndpointVerb,
  group: EndpointGroup,
  { profile, given }: EndpointPermissions,
): readonly EndpointSwitch[] {
  const own = SWITCHES_OF[verb];
  const closing = own.find((name) => given[name] === false);
  if (profile === 'job' && closing !== undefined) return [closing];
  if (verb === 'exec') return closing === undefined ? ['exec', group] : [closing];
  return APART.has(verb) && profile === 'socket-proxy' ? own : [...own, group];
}
