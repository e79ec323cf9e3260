import type { Request, RequestTable } from '../request.ts';

const ALL = ['1.24', '1.30', '1.40', '1.41'];
const EVENTS = 'GET /events?since=1&until=2';

/** What is said about the daemon as a whole. */
export const system: RequestTable = {
  title: 'system',
  requests: [
    { ask: 'GET /info', versions: ALL, values: 'types' },
    { ask: 'GET /info?values', unordered: true },
    { ask: 'GET /version', versions: ALL, values: 'types' },
    { ask: 'GET /system/df', versions: ['1.24', '1.25', '1.30', '1.41'], values: 'types' },
    { ask: 'GET /system/df?type=nothing', unordered: true },
    { ask: 'GET /plugins', versions: ALL },
    { ask: EVENTS },
    { ask: 'GET /events?since=x' },
    { ask: 'GET /events?until=x' },
    { ask: 'GET /events?since=2&until=1' },
    { ask: 'GET /events?since=1.5&until=2.25' },
    { ask: 'GET /events?since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00.5Z' },
    { ask: 'GET /events?since=2020-01-01&until=2020-01-02' },
    { ask: 'GET /events?since=2020-01-01T00:00&until=2020-01-02T00:00:00' },
    { ask: 'GET /events?since=10m&until=9m' },
    { ask: EVENTS, filters: { type: ['container'] } },
    { ask: EVENTS, filters: { nothing: ['x'] } },
    { ask: EVENTS, filters: { type: { container: true, image: false } } },
    { ask: EVENTS, filters: ['x'] },
    { ask: EVENTS, filters: 'x' },
    { ask: EVENTS, filters: { label: 7 } },
    { ask: `${EVENTS}&filters=%7B` },
    { ask: 'POST /containers/prune', filters: { nothing: ['x'] } },
    { ask: 'POST /containers/prune', filters: { until: ['x'] } },
    { ask: 'POST /containers/prune', filters: { until: ['1h', '2h'] } },
    { ask: 'POST /containers/prune', versions: ['1.24', '1.30', '1.41'] },
    { ask: 'POST /images/prune', filters: { nothing: ['x'] } },
    { ask: 'POST /images/prune', filters: { dangling: ['maybe'] } },
    { ask: 'POST /images/prune', filters: { until: ['x'] } },
    { ask: 'POST /images/prune', versions: ['1.24', '1.30', '1.41'] },
    { ask: 'POST /networks/prune', filters: { nothing: ['x'] } },
    { ask: 'POST /networks/prune', filters: { until: ['x'] } },
    { ask: 'POST /networks/prune', versions: ['1.24', '1.30', '1.41'] },
    { ask: 'POST /volumes/prune', filters: { nothing: ['x'] } },
    { ask: 'POST /volumes/prune', versions: ['1.24', '1.30', '1.41'] },
    { ask: 'POST /build/prune', versions: ['1.24', '1.31', '1.41'] },
    ...[{ label: ['a'] }, { 'label!': ['a=b'] }, { until: ['1h'] }, { nope: ['x'] }].map(
      (filters): Request => ({ ask: 'POST /build/prune', filters }),
    ),
  ],
};
