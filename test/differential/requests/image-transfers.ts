import type { RequestTable } from '../request.ts';

/** Images made, saved and pushed: what is answered where that cannot be. */
export const imageTransfers: RequestTable = {
  title: 'images: transfers',
  requests: [
    { ask: 'POST /commit' },
    { ask: 'POST /commit?container=nope', json: {} },
    { ask: 'POST /images/nope/push', headers: { 'X-Registry-Auth': 'e30=' } },
    { ask: 'POST /images/BAD/push', headers: { 'X-Registry-Auth': 'e30=' } },
    { ask: 'GET /images/nope/get' },
    { ask: 'GET /images/get?names=nope' },
    { ask: 'DELETE /containers/nope?link=1' },
  ],
};
