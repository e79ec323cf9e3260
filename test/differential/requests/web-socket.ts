import type { Request, RequestTable } from '../request.ts';
import { sayAndClose, WEB_SOCKET_HEADERS } from '../web-socket.ts';

const VERSIONS = ['1.24', '1.27', '1.28', '1.41'];
// Of a container that has ended, a stream waits for its next start, as on dockerd: without end.
const QUERIES = ['', 'logs=1', 'stream=1&detachKeys=ctrl-nope'];

const attach = (name: string, query: string, more: Partial<Request> = {}): Request => ({
  ask: `GET /containers/${name}/attach/ws?${query}`,
  headers: WEB_SOCKET_HEADERS,
  ...more,
});

/** Attaching by WebSocket: before the start, after the end, with input, with a terminal. */
export const webSocket: RequestTable = {
  title: 'attach by WebSocket',
  requests: [
    attach('nope', 'stream=1'),
    { ask: 'GET /containers/nope/attach/ws' },
    {
      ask: 'POST /containers/create?name=speaks',
      json: { Image: 'busybox', Cmd: ['echo', 'spoken'] },
    },
    attach('speaks', 'stream=1', { versions: VERSIONS, later: true }),
    { ask: 'POST /containers/speaks/start' },
    { ask: 'POST /containers/speaks/wait' },
    ...QUERIES.map((query) => attach('speaks', query)),
    { ask: 'DELETE /containers/speaks' },
    {
      ask: 'POST /containers/create?name=terminal',
      json: { Image: 'busybox', Cmd: ['echo', 'spoken'], Tty: true },
    },
    attach('terminal', 'stream=1', { later: true }),
    { ask: 'POST /containers/terminal/start' },
    { ask: 'POST /containers/terminal/wait' },
    attach('terminal', 'logs=1'),
    { ask: 'DELETE /containers/terminal' },
    {
      ask: 'POST /containers/create?name=listens',
      json: { Image: 'busybox', Cmd: ['cat'], OpenStdin: true, StdinOnce: true },
    },
    { ask: 'POST /containers/listens/start' },
    // The client's close is the end of the input, and so of the container.
    attach('listens', 'stream=1', { stdin: sayAndClose('said\n'), values: 'types', quiet: true }),
    { ask: 'POST /containers/listens/wait' },
    { ask: 'GET /containers/listens/logs?stdout=1' },
    { ask: 'DELETE /containers/listens' },
  ],
};
