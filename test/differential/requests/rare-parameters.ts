import type { Request, RequestTable } from '../request.ts';

const SHELL = 'trap "exit 3" TERM; trap "exit 4" USR1; while :; do sleep 0.1; done';
const EVENTS = 'GET /events?since={began}&until={now}';

/** The detach keys of these requests: Ctrl-A, then b. */
const KEYS = { query: 'detachKeys=ctrl-a,b', typed: '\u0001b' };

const STOPPED: readonly Request[] = [
  {
    ask: 'POST /containers/create?name=asked',
    json: { Image: 'busybox', Cmd: ['sh', '-c', `echo ready; ${SHELL}`] },
  },
  { ask: 'POST /containers/asked/start?checkpoint=nope' },
  { ask: 'POST /containers/asked/start?checkpoint-dir=/x' },
  { ask: 'POST /containers/asked/start' },
  { ask: 'GET /containers/asked/logs?stdout=1', until: 'ready' },
  { ask: 'POST /containers/asked/restart?t=5&signal=USR1' },
  { ask: 'GET /containers/asked/logs?stdout=1', until: 'ready\\nready' },
  { ask: 'POST /containers/asked/stop?t=5&signal=USR1' },
  { ask: 'POST /containers/asked/wait' },
  { ask: 'GET /containers/json?all=1&before=nope', filters: { name: ['asked'] } },
  { ask: 'GET /containers/json?all=1&since=nope', filters: { name: ['asked'] } },
  { ask: 'DELETE /containers/asked' },
];

const DETACHED: readonly Request[] = [
  {
    ask: 'POST /containers/create?name=terminal',
    json: { Image: 'busybox', Cmd: ['cat'], Tty: true, OpenStdin: true },
    keep: { terminal: 'Id' },
  },
  { ask: 'POST /containers/terminal/start' },
  { ask: `POST /containers/terminal/attach?stream=1&stdin=1&stdout=1&${KEYS.query}`, stdin: KEYS.typed },
  { ask: EVENTS, filters: { event: ['detach'] }, until: '{terminal}' },
  { ask: 'DELETE /containers/terminal?force=1' },
];

const ELSEWHERE: readonly Request[] = [
  { ask: 'POST /swarm/leave?force=1' },
  { ask: 'GET /services?status=1', filters: { name: ['x'] } },
  { ask: 'GET /nodes', filters: { name: ['x'] } },
  { ask: 'GET /tasks', filters: { name: ['x'] } },
  { ask: 'GET /secrets', filters: { name: ['x'] } },
  { ask: 'GET /configs', filters: { name: ['x'] } },
  { ask: 'GET /services/x?insertDefaults=1' },
  { ask: 'DELETE /nodes/x?force=1' },
  { ask: 'POST /plugins/x/disable?force=1' },
  { ask: 'DELETE /plugins/x?force=1' },
  { ask: 'PUT /volumes/x?version=1' },
  { ask: 'DELETE /images/nope?platforms=x' },
  { ask: 'GET /images/json?identity=1&manifests=1', unordered: true },
  { ask: 'GET /images/busybox/history?platform=x' },
  { ask: 'GET /images/busybox/json?manifests=1&platform=x' },
];

/** Parameters that few clients send, and those of newer versions, which 1.41 passes over; detach keys as they are typed. */
export const rareParameters: RequestTable = {
  title: 'rare parameters',
  requests: [...STOPPED, ...DETACHED, ...ELSEWHERE],
};
