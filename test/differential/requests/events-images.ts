import { packTar } from '../../support/image-builder.ts';
import type { Request, RequestTable } from '../request.ts';

const EVENTS = 'GET /events?since={began}&until={now}';
const TAR = { 'Content-Type': 'application/x-tar' };

const ROOT = await packTar([{ path: 'hello', type: 'file', content: 'hello\n' }]);

const WORK: readonly Request[] = [
  {
    ask: 'POST /containers/create?name=source',
    json: { Image: 'busybox', Cmd: ['sleep', '1000'], Labels: { made: 'by hand' } },
    keep: { source: 'Id' },
  },
  {
    ask: 'POST /commit?container=source&repo=committed&tag=1',
    json: { Labels: { said: 'yes' } },
    keep: { committed: 'Id' },
  },
  { ask: 'POST /commit?container=source', json: {}, keep: { nameless: 'Id' } },
  { ask: 'POST /images/committed:1/tag?repo=committed&tag=2' },
  { ask: 'POST /images/committed:1/tag?repo=committed&tag=2' },
  {
    ask: 'POST /images/create?fromSrc=-&repo=imported&tag=1&message=m&changes=LABEL%20made=import',
    raw: ROOT,
    headers: TAR,
    keep: { imported: 'status' },
    quiet: true,
  },
  { ask: 'GET /images/committed:1/get', quiet: true },
  { ask: 'GET /images/get?names=committed:1&names=imported:1', quiet: true },
  { ask: 'POST /images/load', raw: await packTar([]), headers: TAR, quiet: true },
  { ask: 'GET /images/imported:1/json', keep: { imported: 'Id' }, quiet: true },
  { ask: 'DELETE /images/committed:2' },
  { ask: 'DELETE /images/committed:1' },
  { ask: 'DELETE /images/{nameless}' },
  { ask: 'DELETE /images/imported:1', values: 'types' },
  { ask: 'DELETE /containers/source' },
  { ask: 'POST /images/prune' },
  { ask: 'POST /build/prune' },
];

const FILTERS: readonly unknown[] = [
  { type: ['image'] },
  { type: ['image'], event: ['tag', 'untag', 'delete'] },
  { type: ['image'], event: ['save', 'load', 'import'] },
  { type: ['image'], label: ['made'] },
  { type: ['builder'] },
  { type: ['daemon'] },
  { event: ['commit'] },
  { event: ['prune'] },
  { image: ['committed'] },
  { image: ['committed:1'] },
  { image: ['{committed}'] },
];

/** Everything that happens to images but what a registry takes part in. */
export const imageEvents: RequestTable = {
  title: 'events: images',
  // One save tells of its images in the order of a Go map.
  requests: [...WORK, ...FILTERS.map((filters): Request => ({ ask: EVENTS, filters, unordered: true }))],
};
