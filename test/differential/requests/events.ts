import type { Request, RequestTable } from '../request.ts';

const EVENTS = 'GET /events?since={began}&until={now}';

/** Goes on when an event has been told: what it is about can be seen before that. */
const told = (filters: object, until: string): Request => ({ ask: EVENTS, filters, until, quiet: true });

const RUN = { Image: 'busybox', Cmd: ['sleep', '1000'] };

const WORK: readonly Request[] = [
  { ask: 'POST /networks/create', json: { Name: 'evnet' }, keep: { evnet: 'Id' } },
  { ask: 'POST /volumes/create', json: { Name: 'evvol' } },
  {
    ask: 'POST /containers/create?name=actor',
    json: {
      Image: 'busybox',
      Cmd: ['sleep', '1000'],
      Labels: { who: 'actor' },
      HostConfig: { Binds: ['evvol:/v'], NetworkMode: 'evnet' },
    },
    keep: { actor: 'Id' },
  },
  { ask: 'POST /containers/actor/start' },
  { ask: 'GET /containers/actor/top', values: 'types' },
  { ask: 'POST /containers/actor/pause' },
  { ask: 'POST /containers/actor/unpause' },
  { ask: 'POST /containers/actor/update', json: { CpuShares: 100 } },
  { ask: 'POST /containers/actor/rename?name=star' },
  {
    ask: 'POST /containers/star/exec',
    json: { Cmd: ['echo', 'a b'], AttachStdout: true },
    keep: { run: 'Id' },
  },
  { ask: 'POST /exec/{run}/start', json: {} },
  told({ event: ['exec_die'] }, '{run}'),
  { ask: 'POST /containers/star/exec', json: { Cmd: ['true'] }, keep: { detached: 'Id' } },
  { ask: 'POST /exec/{detached}/start', json: { Detach: true } },
  told({ event: ['exec_die'] }, '{detached}'),
  { ask: 'POST /containers/star/exec', json: { Cmd: ['nope'] }, keep: { failed: 'Id' } },
  { ask: 'POST /exec/{failed}/start', json: { Detach: true } },
  { ask: 'GET /containers/star/archive?path=/etc/passwd' },
  { ask: 'HEAD /containers/star/archive?path=/etc/passwd' },
  {
    ask: 'PUT /containers/star/archive?path=/tmp',
    raw: Buffer.alloc(1024),
    headers: { 'Content-Type': 'application/x-tar' },
  },
  { ask: 'GET /containers/star/export', values: 'types', unordered: true },
  { ask: 'GET /containers/star/logs?stdout=1' },
  { ask: 'POST /networks/bridge/connect', json: { Container: 'star' } },
  { ask: 'POST /networks/bridge/disconnect', json: { Container: 'star' } },
  { ask: 'POST /containers/star/kill?signal=WINCH' },
  { ask: 'POST /containers/star/restart?t=0' },
  { ask: 'POST /containers/star/stop?t=0' },
  { ask: 'POST /containers/star/start' },
  { ask: 'POST /containers/star/kill' },
  { ask: 'POST /containers/star/wait' },
  { ask: 'POST /containers/star/attach?logs=1&stdout=1' },
  { ask: 'DELETE /containers/star' },
  { ask: 'DELETE /networks/evnet' },
  { ask: 'DELETE /volumes/evvol' },
  { ask: 'POST /images/busybox/tag?repo=evimage&tag=1' },
  { ask: 'DELETE /images/evimage:1' },
  { ask: 'POST /containers/prune' },
  { ask: 'POST /networks/prune' },
  { ask: 'POST /volumes/prune' },
  { ask: 'POST /images/prune' },
  {
    ask: 'POST /containers/create?name=brief',
    json: { Image: 'busybox', Cmd: ['false'], HostConfig: { AutoRemove: true } },
    keep: { brief: 'Id' },
  },
  { ask: 'POST /containers/brief/wait?condition=removed', later: true },
  { ask: 'POST /containers/brief/start' },
  { ask: 'GET /containers/brief/json', until: 'No such container' },
  told({ event: ['destroy'] }, '{brief}'),
];

const FILTERS: readonly unknown[] = [
  { type: ['container'] },
  { type: ['network'] },
  { type: ['volume'] },
  { type: ['volume'], event: ['destroy'] },
  { type: ['network'], event: ['create', 'connect', 'destroy'] },
  { type: ['image'] },
  { event: ['create'] },
  { event: ['exec_create'] },
  { event: ['health_status'] },
  { event: ['die', 'kill'] },
  { container: ['star'] },
  { container: ['actor'] },
  { container: ['{actor}'] },
  { image: ['busybox'] },
  { image: ['busybox:latest'] },
  { label: ['who'] },
  { label: ['who=actor'] },
  { network: ['evnet'] },
  { volume: ['evvol'] },
  { scope: ['local'] },
  { scope: ['swarm'] },
  { daemon: ['x'] },
  { type: ['container'], event: ['die'] },
];

/** What is told by one part of the daemon, in its order; that of a stop and of the end that it brings is chance. */
const ORDERED: readonly unknown[] = [
  {
    type: ['container'],
    event: ['create', 'start', 'pause', 'unpause', 'update', 'rename', 'die', 'destroy'],
  },
  { type: ['container'], event: ['exec_create', 'exec_start', 'exec_die'] },
  { type: ['container'], event: ['kill', 'die', 'start', 'restart', 'destroy'] },
  { type: ['network'], event: ['create', 'connect', 'destroy'] },
  { type: ['volume'], event: ['destroy', 'prune'] },
  { type: ['image'] },
  { event: ['prune'] },
];

/** Everything that happens to one container and what it uses, as a client sees it afterwards. */
export const events: RequestTable = {
  title: 'events',
  requests: [
    ...WORK,
    ...FILTERS.map((filters): Request => ({ ask: EVENTS, filters, unordered: true })),
    ...ORDERED.map((filters): Request => ({ ask: `${EVENTS}&ordered`, filters })),
  ],
};

/** What a health check tells; how often it is run, and what its end is told before, is chance. */
export const healthEvents: RequestTable = {
  title: 'events: health checks',
  requests: [
    {
      ask: 'POST /containers/create?name=lively',
      json: { ...RUN, Tty: true, Healthcheck: { Test: ['CMD', 'true'], Interval: 100_000_000 } },
      keep: { lively: 'Id' },
    },
    { ask: 'POST /containers/lively/start' },
    { ask: 'POST /containers/lively/resize?h=10&w=20' },
    { ask: 'GET /containers/lively/json', until: '"healthy"', values: 'types' },
    told({ event: ['exec_die'] }, '{lively}'),
    { ask: 'DELETE /containers/lively?force=1' },
    {
      ask: 'POST /containers/create?name=sick',
      json: {
        ...RUN,
        Healthcheck: { Test: ['CMD-SHELL', 'exit 3'], Interval: 100_000_000, Retries: 2 },
      },
      keep: { sick: 'Id' },
    },
    { ask: 'POST /containers/sick/start' },
    { ask: 'GET /containers/sick/json', until: '"unhealthy"', values: 'types' },
    { ask: 'DELETE /containers/sick?force=1' },
    ...[
      { event: ['health_status'] },
      { event: ['health_status: healthy'] },
      { event: ['resize', 'health_status'] },
    ].map((filters): Request => ({ ask: EVENTS, filters })),
    ...[{}, { container: ['lively'] }, { event: ['exec_create', 'exec_start', 'exec_die'] }].map(
      (filters): Request => ({ ask: EVENTS, filters, distinct: true, unordered: true }),
    ),
  ],
};
