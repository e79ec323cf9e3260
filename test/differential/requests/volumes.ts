import type { Request, RequestTable } from '../request.ts';

const BAD: readonly object[] = [
  { Name: 'bad name' },
  { Name: 'a' },
  { Name: '/abs' },
  { Name: 'opts', DriverOpts: { nope: 'x' } },
  { Name: 'opts', DriverOpts: { type: 'tmpfs' } },
];

const FILTERS: readonly unknown[] = [
  { name: ['vol'] },
  { name: ['nope'] },
  { label: ['a'] },
  { label: ['a=b'] },
  { label: ['a=c'] },
  { driver: ['local'] },
  { driver: ['nope'] },
  { dangling: ['true'] },
  { dangling: ['false'] },
  { dangling: ['maybe'] },
  { nothing: ['x'] },
  ['x'],
];

/** Volumes, and the containers that use them. */
export const volumes: RequestTable = {
  title: 'volumes',
  requests: [
    { ask: 'GET /volumes', versions: ['1.24', '1.30', '1.41'] },
    { ask: 'GET /volumes/nope' },
    { ask: 'DELETE /volumes/nope' },
    { ask: 'DELETE /volumes/nope?force=1' },
    { ask: 'POST /volumes/create', json: { Name: 'vol', Labels: { a: 'b' } }, versions: ['1.24', '1.41'] },
    { ask: 'POST /volumes/create', json: { Name: 'vol', Driver: 'local', Labels: { c: 'd' } } },
    { ask: 'POST /volumes/create', json: { Name: 'vol', DriverOpts: {} } },
    { ask: 'POST /volumes/create', json: { Name: 'plain' } },
    {
      ask: 'POST /volumes/create',
      json: { Name: 'plain', Driver: 'local', Mountpoint: '/var/lib/x', Scope: 'local' },
    },
    { ask: 'POST /volumes/create', json: {}, keep: { anonymous: 'Name' } },
    { ask: 'DELETE /volumes/{anonymous}' },
    {
      ask: 'POST /volumes/create',
      json: { Name: 'mem', DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } },
    },
    { ask: 'GET /volumes/mem' },
    { ask: 'DELETE /volumes/mem' },
    ...BAD.map((json): Request => ({ ask: 'POST /volumes/create', json })),
    { ask: 'GET /volumes/vol', versions: ['1.24', '1.41'] },
    { ask: 'GET /volumes/plain' },
    { ask: 'GET /volumes', unordered: true },
    {
      ask: 'POST /containers/create?name=holder',
      json: { Image: 'busybox', HostConfig: { Binds: ['vol:/v'] } },
      keep: { holder: 'Id' },
    },
    ...FILTERS.map((filters): Request => ({ ask: 'GET /volumes', filters, unordered: true })),
    { ask: 'DELETE /volumes/vol' },
    { ask: 'DELETE /volumes/vol?force=1' },
    { ask: 'DELETE /containers/holder?v=1' },
    { ask: 'POST /volumes/prune', filters: { label: ['nope'] } },
    { ask: 'DELETE /volumes/vol' },
    { ask: 'DELETE /volumes/plain' },
    { ask: 'DELETE /volumes/opts' },
  ],
};
