import { commitContainer } from '../../engine/containers/commit-container.ts';
import { repoTagReference } from '../../engine/images/repo-tag-reference.ts';
import { ShapeError } from '../../errors.ts';
import type { ContainerConfig } from '../../wire/container-config.ts';
import type { Job } from '../../engine/job.ts';
import type { Place } from '../http/decode.ts';
import { known } from '../http/known.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContextOf } from '../http/route.ts';
import { parseJsonBody } from '../http/strict-json.ts';
import { containerConfig } from './decode-container-config.ts';

/** `POST /commit`. */
export const commitRoutes: readonly Route[] = inGroup('commit', [
  { method: 'POST', path: '/commit', parameters: 'commit', body: 'json', handle: commit },
]);

async function commit(context: RouteContextOf<'commit'>): Promise<void> {
  const { job, query } = context;
  const id = await commitContainer(job, {
    containerRef: commitSource(query),
    reference: repoTagReference(query.string('repo'), query.string('tag')),
    author: query.string('author'),
    comment: query.string('comment'),
    pause: query.boolOr('pause', true),
    changes: query.list('changes'),
    config: decodeConfig(job, context.body),
  });
  context.json(201, { Id: id });
}

/** The container of a commit, by what the client calls it. */
export function commitSource(query: RouteContextOf<'commit'>['query']): string {
  const containerRef = query.string('container');
  if (containerRef === '') throw new ShapeError('invalid name or ID supplied: ""');
  return containerRef;
}

/** The CLI sends `null` where it has no configuration, other clients nothing at all. */
function decodeConfig(job: Job, body: Uint8Array): ContainerConfig | undefined {
  const document = body.length === 0 ? null : parseJsonBody(body);
  if (document === null) return undefined;
  const place: Place = { struct: 'Config', path: '', ignored: [] };
  return known(job, 'commit', { request: containerConfig(document, place), ignored: place.ignored });
}
