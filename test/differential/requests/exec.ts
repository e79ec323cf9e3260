import type { Request, RequestTable } from '../request.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** Bodies of exec create; each is started, read to its end and inspected. */
const GOOD: readonly object[] = [
  { Cmd: ['echo', 'out'], AttachStdout: true },
  { Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 4'], AttachStdout: true, AttachStderr: true },
  { Cmd: ['sh', '-c', 'echo out; echo err >&2'], AttachStderr: true },
  { Cmd: ['sh', '-c', 'tty && echo out'], AttachStdout: true, Tty: true },
  { Cmd: ['cat'], AttachStdin: true, AttachStdout: true },
  { Cmd: ['id', '-u'], AttachStdout: true, User: 'builder' },
  { Cmd: ['env'], AttachStdout: true, Env: ['ADDED=1'] },
  { Cmd: ['pwd'], AttachStdout: true, WorkingDir: '/tmp' },
  { Cmd: ['nope'], AttachStdout: true, AttachStderr: true },
  { Cmd: ['/etc/passwd'], AttachStdout: true },
  { Cmd: ['true'], AttachStdout: true, User: 'nope' },
  { Cmd: ['true'], AttachStdout: true, WorkingDir: '/nope' },
  { Cmd: ['true'], AttachStdout: true, DetachKeys: 'ctrl-x' },
];

const BAD: readonly object[] = [
  {},
  { Cmd: [] },
  { Cmd: null },
  { Cmd: ['true'], DetachKeys: 'ctrl-nope' },
  { Cmd: 7 },
  { Cmd: ['true'], Tty: 'yes' },
];

/** Processes in a running container. */
export const exec: RequestTable = {
  title: 'exec',
  requests: [
    {
      ask: 'POST /containers/create?name=host',
      json: { Image: 'busybox', Cmd: ['sleep', '1000'], Hostname: 'exec' },
      keep: { host: 'Id' },
    },
    { ask: 'POST /containers/host/start' },
    ...GOOD.flatMap((body): readonly Request[] => {
      return [
        { ask: 'POST /containers/host/exec', json: body, keep: { process: 'Id' } },
        { ask: 'GET /exec/{process}/json' },
        { ask: 'POST /exec/{process}/start', json: { Detach: false, Tty: 'Tty' in body }, stdin: 'typed\n' },
        { ask: 'GET /exec/{process}/json', until: '"Running":false' },
      ];
    }),
    ...BAD.map((body): Request => ({ ask: 'POST /containers/host/exec', json: body })),
    { ask: 'POST /containers/host/exec' },
    { ask: 'POST /containers/host/exec', raw: '{', headers: JSON_TYPE },
    { ask: 'POST /containers/host/exec', raw: '{}', headers: { 'Content-Type': 'text/plain' } },
    { ask: 'POST /containers/host/exec', json: { Cmd: ['sleep', '1000'] }, keep: { sleeper: 'Id' } },
    { ask: 'POST /exec/{sleeper}/start', json: { Detach: true } },
    { ask: 'GET /exec/{sleeper}/json', until: '"Running":true' },
    { ask: 'GET /containers/host/json' },
    { ask: 'POST /exec/{sleeper}/start', json: { Detach: true } },
    { ask: 'POST /exec/{sleeper}/start', json: {} },
    { ask: 'POST /exec/{sleeper}/resize?h=x&w=1' },
    { ask: 'POST /exec/{sleeper}/resize?h=1' },
    { ask: 'POST /containers/host/exec', json: { Cmd: ['true'], Tty: true }, keep: { mixed: 'Id' } },
    { ask: 'POST /exec/{mixed}/start', json: { Detach: true, Tty: true } },
    { ask: 'POST /containers/host/exec', json: { Cmd: ['true'] }, keep: { empty: 'Id' } },
    { ask: 'POST /exec/{empty}/start' },
    { ask: 'POST /exec/{empty}/start', raw: '{', headers: JSON_TYPE },
    { ask: 'GET /exec/nope/json' },
    { ask: 'POST /exec/nope/start', json: {} },
    { ask: 'POST /exec/nope/start', json: { Detach: true } },
    { ask: 'POST /exec/nope/resize?h=1&w=1' },
    { ask: 'POST /containers/host/exec', json: { Cmd: ['true'] }, keep: { late: 'Id' } },
    { ask: 'POST /containers/host/kill' },
    { ask: 'POST /containers/host/wait' },
    { ask: 'POST /exec/{late}/start', json: {} },
    { ask: 'GET /exec/{late}/json' },
    { ask: 'GET /exec/{sleeper}/json' },
    { ask: 'DELETE /containers/host' },
    { ask: 'GET /exec/{late}/json?removed' },
    { ask: 'POST /exec/{late}/start?removed', json: {} },
  ],
};
