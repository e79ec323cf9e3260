import { historyImage } from '../../engine/images/history-image.ts';
import { inspectImage } from '../../engine/images/inspect-image.ts';
import { listImages } from '../../engine/images/list-images.ts';
import { loadImage } from '../../engine/images/load-image.ts';
import { removeImage } from '../../engine/images/remove-image.ts';
import { tagImage } from '../../engine/images/tag-image.ts';
import { sendErrorStream } from '../http/json-stream.ts';
import type { Filters } from '../http/query.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext } from '../http/route.ts';
import { createImage } from './create.ts';
import { push } from './push.ts';
import { answerWithProgress } from './progress-stream.ts';
import { saveOne, saveSeveral } from './save.ts';
import { shapeInspect, shapeSummaries } from './shape.ts';

/** `/images/…` */
export const imageRoutes: readonly Route[] = inGroup('images', [
  { method: 'GET', path: '/images/json', body: 'none', handle: list },
  { method: 'GET', path: '/images/get', body: 'none', handle: saveSeveral },
  { method: 'GET', path: '/images/:name*/get', body: 'none', handle: saveOne },
  { method: 'GET', path: '/images/:name*/json', body: 'none', handle: inspect },
  { method: 'GET', path: '/images/:name*/history', body: 'none', handle: history },
  { method: 'POST', path: '/images/create', body: 'stream', handle: createImage },
  { method: 'POST', path: '/images/load', body: 'stream', handle: load },
  { method: 'POST', path: '/images/:name*/tag', body: 'none', handle: tag },
  { method: 'POST', path: '/images/:name*/push', body: 'none', handle: push },
  { method: 'DELETE', path: '/images/:name*', body: 'none', handle: remove },
]);

async function list(context: RouteContext): Promise<void> {
  const { job, query, apiVersion } = context;
  const images = listImages(job, {
    filters: withOldFilter(context),
    sharedSize: query.bool('shared-size'),
    all: query.bool('all'),
  });
  await Promise.resolve();
  context.json(200, shapeSummaries(images, apiVersion));
}

// Before API 1.41 there was a parameter `filter`, which is a reference.
function withOldFilter({ query }: RouteContext): Filters {
  const filters = query.filters();
  const pattern = query.string('filter');
  return pattern === ''
    ? filters
    : new Map([...filters, ['reference', [...(filters.get('reference') ?? []), pattern]]]);
}

async function inspect(context: RouteContext): Promise<void> {
  await Promise.resolve();
  context.json(200, shapeInspect(inspectImage(context.job, context.param('name')), context.apiVersion));
}

async function history(context: RouteContext): Promise<void> {
  await Promise.resolve();
  context.json(200, historyImage(context.job, context.param('name')));
}

async function load(context: RouteContext): Promise<void> {
  const { job, stream, signal, query } = context;
  const quiet = query.boolOr('quiet', false);
  try {
    await answerWithProgress(context, (report) => loadImage(job, { tar: stream, quiet, report, signal }));
  } catch (error) {
    if (signal.aborted) throw error;
    await sendErrorStream(context, error);
  }
}

async function tag(context: RouteContext): Promise<void> {
  const { job, query } = context;
  await tagImage(job, context.param('name'), { repository: query.string('repo'), tag: query.string('tag') });
  context.empty(201);
}

async function remove(context: RouteContext): Promise<void> {
  const { job, query } = context;
  context.json(
    200,
    await removeImage(job, context.param('name'), {
      force: query.bool('force'),
      keepParents: query.bool('noprune'),
    }),
  );
}
