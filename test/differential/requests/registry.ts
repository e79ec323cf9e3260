import { REGISTRY_HOST } from '../registries.ts';
import type { Request, RequestTable } from '../request.ts';

const EVENTS = 'GET /events?since={began}&until={now}';
const AUTH = { 'X-Registry-Auth': 'e30=' };
const BASE = `${REGISTRY_HOST}/team/base`;
const MADE = `${REGISTRY_HOST}/team/made`;

/** Lines of progress that chance decides about. */
const FLEETING = [
  'Downloading',
  'Verifying Checksum',
  'Download complete',
  'Extracting',
  'Waiting',
  'Pushing',
  '"Pushed"',
];

const transfer = (request: Request): Request => ({
  ...request,
  without: [...FLEETING, '"aux"'],
  unordered: true,
  distinct: true,
});

const pull = (query: string): Request =>
  transfer({ ask: `POST /images/create?fromImage=${query}`, headers: AUTH });

const WORK: readonly Request[] = [
  pull(`${BASE}&tag=v1`),
  pull(`${BASE}&tag=v1`),
  pull(`${BASE}&tag=v2`),
  pull(`${BASE}&tag=nope`),
  pull(`${REGISTRY_HOST}/team/nope&tag=v1`),
  pull(`${BASE}&tag=sha256:${'0'.repeat(64)}`),
  pull(BASE),
  { ask: `GET /images/${BASE}:v1/json` },
  { ask: `GET /images/${BASE}:v1/history` },
  { ask: `GET /distribution/${BASE}:v1/json` },
  { ask: `GET /distribution/${BASE}:nope/json` },
  { ask: `POST /images/${BASE}:v1/tag?repo=${MADE}&tag=a` },
  { ask: `POST /images/${BASE}:v1/tag?repo=${MADE}&tag=b` },
  transfer({ ask: `POST /images/${MADE}/push?tag=a`, headers: AUTH }),
  transfer({ ask: `POST /images/${MADE}/push?tag=a`, headers: AUTH }),
  transfer({ ask: `POST /images/${MADE}/push`, headers: AUTH }),
  transfer({ ask: `POST /images/${MADE}/push?tag=nope`, headers: AUTH }),
  { ask: `DELETE /images/${MADE}:a`, values: 'types' },
  { ask: `DELETE /images/${MADE}:b`, values: 'types' },
  { ask: `DELETE /images/${BASE}:v1`, values: 'types' },
  { ask: `DELETE /images/${BASE}:v2`, values: 'types' },
  { ask: `DELETE /images/${BASE}:latest`, quiet: true },
];

const FILTERS: readonly unknown[] = [
  { type: ['image'] },
  { event: ['pull'] },
  { event: ['push'] },
  { image: [`${BASE}:v1`] },
];

/** What a registry takes part in, and what is told of it. */
export const registry: RequestTable = {
  title: 'registry: pull, push and their events',
  requests: [...WORK, ...FILTERS.map((filters): Request => ({ ask: EVENTS, filters }))],
};
