import type { Request, RequestTable } from '../request.ts';

const SPEAK = 'echo out1; echo err1 >&2; printf "no newline"';
const ECHO = { Image: 'busybox', Cmd: ['cat'], OpenStdin: true, StdinOnce: true, AttachStdin: true };

const LOGS = [
  '',
  'stdout=1',
  'stderr=1',
  'stdout=1&stderr=1',
  'stdout=1&stderr=1&timestamps=1',
  'stdout=1&stderr=1&details=1',
  'stdout=1&tail=0',
  'stdout=1&tail=1',
  'stdout=1&tail=all',
  'stdout=1&tail=nope',
  'stdout=1&tail=-1',
  'stdout=1&stderr=1&follow=1',
  'stdout=1&since=1',
  'stdout=1&since=9999999999',
  'stdout=1&until=1',
  'stdout=1&since=nope',
  'stdout=1&until=nope',
  'stdout=maybe',
];

const logs = (name: string): readonly Request[] =>
  LOGS.map((query) => ({ ask: `GET /containers/${name}/logs?${query}` }));

/** Output as logs and attach give it, and input through attach. */
export const containerStreams: RequestTable = {
  title: 'containers: streams',
  requests: [
    {
      ask: 'POST /containers/create?name=speaks',
      json: { Image: 'busybox', Cmd: ['sh', '-c', SPEAK], Labels: { a: 'b' } },
      keep: { speaks: 'Id' },
    },
    { ask: 'POST /containers/speaks/attach?stream=1&stdout=1&stderr=1', later: true },
    { ask: 'POST /containers/speaks/attach?stream=1&stdout=1', stdin: '', later: true },
    { ask: 'POST /containers/speaks/start' },
    { ask: 'POST /containers/speaks/wait' },
    ...logs('speaks'),
    { ask: 'POST /containers/speaks/attach?logs=1&stdout=1&stderr=1' },
    { ask: 'POST /containers/speaks/attach' },
    { ask: 'POST /containers/speaks/attach?stdout=1' },
    { ask: 'DELETE /containers/speaks' },
    {
      ask: 'POST /containers/create?name=terminal',
      json: { Image: 'busybox', Cmd: ['sh', '-c', SPEAK], Tty: true },
    },
    { ask: 'POST /containers/terminal/attach?stream=1&stdout=1', stdin: '', later: true },
    { ask: 'POST /containers/terminal/start' },
    { ask: 'POST /containers/terminal/wait' },
    ...logs('terminal'),
    { ask: 'DELETE /containers/terminal' },
    { ask: 'POST /containers/create?name=echo', json: ECHO },
    { ask: 'POST /containers/echo/attach?stream=1&stdin=1&stdout=1', stdin: 'said\n', later: true },
    { ask: 'POST /containers/echo/start' },
    { ask: 'POST /containers/echo/wait' },
    { ask: 'DELETE /containers/echo' },
    {
      ask: 'POST /containers/create?name=silent',
      json: { Image: 'busybox', Cmd: ['echo', 'lost'], HostConfig: { LogConfig: { Type: 'none' } } },
    },
    { ask: 'POST /containers/silent/start' },
    { ask: 'POST /containers/silent/wait' },
    { ask: 'GET /containers/silent/logs?stdout=1' },
    { ask: 'DELETE /containers/silent' },
  ],
};
