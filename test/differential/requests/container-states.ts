import type { Request, RequestTable } from '../request.ts';

const inspect = (name: string, until: string): readonly Request[] => [
  { ask: `GET /containers/${name}/json`, until },
  { ask: `GET /containers/json?all=1&of=${name}`, filters: { name: [name] } },
];

/** Containers in every state, as inspect and the list show them, and waiting for the next one. */
export const containerStates: RequestTable = {
  title: 'containers: states',
  requests: [
    {
      ask: 'POST /containers/create?name=plain',
      json: {
        Image: 'busybox',
        Cmd: ['sh', '-c', 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'],
        ExposedPorts: { '80/tcp': {}, '53/udp': {} },
        HostConfig: { PortBindings: { '53/udp': [{ HostIp: '127.0.0.1', HostPort: '18053' }] } },
      },
      keep: { plain: 'Id' },
    },
    ...inspect('plain', 'created'),
    { ask: 'POST /containers/plain/wait?condition=next-exit', later: true },
    { ask: 'POST /containers/plain/wait?condition=removed', later: true },
    { ask: 'POST /containers/plain/start' },
    { ask: 'GET /containers/plain/logs?stdout=1', until: 'ready' },
    ...inspect('plain', 'running'),
    { ask: 'GET /containers/plain/json?size=1', versions: ['1.24', '1.30', '1.40', '1.41'] },
    { ask: 'POST /containers/plain/pause' },
    ...inspect('plain', 'paused'),
    { ask: 'POST /containers/plain/unpause' },
    { ask: 'POST /containers/plain/restart?t=5' },
    ...inspect('plain', 'running'),
    { ask: 'GET /containers/plain/logs?stdout=1', until: 'ready\\nready' },
    { ask: 'POST /containers/plain/wait', later: true },
    { ask: 'POST /containers/plain/stop?t=5' },
    ...inspect('plain', 'exited'),
    { ask: 'POST /containers/plain/wait' },
    { ask: 'POST /containers/plain/stop' },
    { ask: 'POST /containers/plain/rename?name=renamed' },
    { ask: 'GET /containers/renamed/json' },
    { ask: 'GET /containers/plain/json' },
    { ask: 'DELETE /containers/renamed' },
    {
      ask: 'POST /containers/create?name=loops',
      json: {
        Image: 'busybox',
        Cmd: ['sh', '-c', 'exit 5'],
        HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 } },
      },
      keep: { loops: 'Id' },
    },
    { ask: 'POST /containers/loops/start' },
    ...inspect('loops', '"exited"'),
    { ask: 'DELETE /containers/loops?force=1' },
    {
      ask: 'POST /containers/create?name=always',
      json: { Image: 'busybox', Cmd: ['false'], HostConfig: { RestartPolicy: { Name: 'always' } } },
    },
    { ask: 'POST /containers/always/start' },
    // By then it waits for seconds: it is between two runs long enough to be asked about it.
    { ask: 'GET /containers/always/json?fifth', until: '"RestartCount":5', quiet: true },
    { ask: 'GET /containers/always/json?x', until: '"restarting"' },
    { ask: 'POST /containers/always/kill' },
    { ask: 'POST /containers/always/stop' },
    { ask: 'DELETE /containers/always?force=1' },
    // Without one that is killed for memory: whether dockerd says so depends on which of two events comes first.
    {
      ask: 'POST /containers/create?name=well',
      json: {
        Image: 'busybox',
        Cmd: ['sleep', '1000'],
        Healthcheck: { Test: ['CMD-SHELL', 'echo probed'], Interval: 100_000_000, Timeout: 5_000_000_000 },
      },
    },
    { ask: 'POST /containers/well/start' },
    ...inspect('well', '"healthy"')
      .slice(0, 1)
      .map((one) => ({ ...one, values: 'types' as const })),
    { ask: 'GET /containers/json', filters: { health: ['healthy'] } },
    { ask: 'POST /containers/well/stop?t=0' },
    { ask: 'GET /containers/well/json?stopped', values: 'types' },
    { ask: 'DELETE /containers/well' },
    {
      ask: 'POST /containers/create?name=gone',
      json: { Image: 'busybox', Cmd: ['true'], HostConfig: { AutoRemove: true } },
    },
    { ask: 'POST /containers/gone/wait?condition=removed', later: true },
    { ask: 'POST /containers/gone/start' },
    {
      ask: 'POST /containers/create?name=lender',
      json: { Image: 'busybox', Cmd: ['sleep', '1000'] },
      keep: { lender: 'Id' },
    },
    { ask: 'POST /containers/lender/start' },
    // Its image exposes ports, which a request may not where the network is another container's.
    {
      ask: 'POST /containers/create?name=guest',
      json: { Image: 'full:1', Cmd: ['sleep 1000'], HostConfig: { NetworkMode: 'container:lender' } },
    },
    { ask: 'POST /containers/guest/start' },
    { ask: 'DELETE /containers/guest?force=1&v=1' },
    { ask: 'DELETE /containers/lender?force=1' },
  ],
};
