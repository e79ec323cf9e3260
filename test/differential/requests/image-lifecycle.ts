import type { Request, RequestTable } from '../request.ts';

const ALL = ['1.24', '1.30', '1.40', '1.41'];
const LOGIN = { username: 'a', password: 'b', serveraddress: '127.0.0.1:1' };
const MADE = { Image: 'busybox', Cmd: ['true'], Labels: { made: 'yes' } };

const PRUNE_FILTERS: readonly unknown[] = [
  { dangling: ['false'], label: ['no=such'] },
  { dangling: ['true'], until: ['1h'] },
  { dangling: ['maybe'] },
  { until: ['soon'] },
  { label: ['no'] },
  { nothing: ['x'] },
];

/** Images that are made, lose their names, are in use, and go. */
export const imageLifecycle: RequestTable = {
  title: 'images: lifecycle',
  requests: [
    { ask: 'POST /containers/create?name=maker', json: MADE, quiet: true },
    {
      ask: 'POST /commit?container=maker&repo=made&tag=1&comment=c&author=a',
      json: {},
      keep: { first: 'Id' },
    },
    { ask: 'GET /images/made:1/json', versions: ALL },
    { ask: 'GET /images/made:1/history' },
    { ask: 'GET /images/json?all=1', unordered: true },
    { ask: 'GET /images/json?shared-size=1', filters: { reference: ['made'] } },
    { ask: 'POST /commit?container=maker&repo=made&tag=1&comment=d', json: {}, keep: { second: 'Id' } },
    { ask: 'GET /images/{first}/json' },
    { ask: 'GET /images/json', filters: { dangling: ['true'] } },
    { ask: 'GET /images/json', filters: { dangling: ['true'] }, versions: ['1.24'] },
    ...PRUNE_FILTERS.map((filters): Request => ({ ask: 'POST /images/prune', filters })),
    { ask: 'POST /images/prune', filters: { dangling: ['true'], 'label!': ['no'] } },
    { ask: 'POST /images/prune' },
    { ask: 'POST /images/made:1/tag?repo=twin&tag=1' },
    { ask: 'DELETE /images/{second}' },
    {
      ask: 'POST /containers/create?name=runner',
      json: { Image: 'made:1', Cmd: ['sleep', '1000'] },
      quiet: true,
    },
    { ask: 'DELETE /images/twin:1' },
    { ask: 'DELETE /images/{second}' },
    { ask: 'DELETE /images/made:1' },
    { ask: 'POST /containers/runner/start', quiet: true },
    { ask: 'DELETE /images/made:1' },
    { ask: 'DELETE /images/{second}' },
    { ask: 'DELETE /images/{second}?force=1' },
    { ask: 'DELETE /images/made:1?force=1' },
    { ask: 'GET /images/json?all=1', unordered: true },
    { ask: 'DELETE /containers/runner?force=1', quiet: true },
    { ask: 'DELETE /containers/maker', quiet: true },
    { ask: 'DELETE /images/{second}' },
    { ask: 'GET /images/json?all=1', unordered: true },
    { ask: 'GET /system/df', values: 'types', versions: ALL },
    { ask: 'POST /images/busybox/tag?repo=127.0.0.1:1/gone&tag=1', quiet: true },
    { ask: 'POST /images/127.0.0.1:1/gone/push?tag=1', headers: { 'X-Registry-Auth': 'e30=' } },
    { ask: 'POST /images/127.0.0.1:1/gone/push?tag=2', headers: { 'X-Registry-Auth': 'e30=' } },
    { ask: 'POST /images/127.0.0.1:1/gone/push?tag=1&auth=none' },
    { ask: 'DELETE /images/127.0.0.1:1/gone:1', quiet: true },
    { ask: 'POST /auth', json: LOGIN },
    { ask: 'POST /auth', json: {} },
    { ask: 'GET /distribution/127.0.0.1:1/gone/json' },
    { ask: 'GET /distribution/BAD/json' },
  ],
};
