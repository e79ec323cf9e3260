import { historyImage } from '../../engine/images/history-image.ts';
import { inspectImage } from '../../engine/images/inspect-image.ts';
import { listImages, listImagesWithManifests } from '../../engine/images/list-images.ts';
import { loadImage } from '../../engine/images/load-image.ts';
import { removeImage } from '../../engine/images/remove-image.ts';
import { removePlatforms } from '../../engine/images/remove-platforms.ts';
import { tagImage } from '../../engine/images/tag-image.ts';
import { ShapeError } from '../../errors.ts';
import { isAtLeast } from '../http/api-version.ts';
import { sendErrorStream } from '../http/json-stream.ts';
import type { Filters } from '../http/query.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContextOf } from '../http/route.ts';
import { createImage } from './create.ts';
import { allPlatforms, onePlatform } from './platform-parameter.ts';
import { push } from './push.ts';
import { answerWithProgress } from './progress-stream.ts';
import { saveOne, saveSeveral } from './save.ts';
import { shapeInspect, shapeSummaries } from './shape.ts';

/** `/images/…` */
export const imageRoutes: readonly Route[] = inGroup('images', [
  { method: 'GET', path: '/images/json', parameters: 'image list', body: 'none', handle: list },
  { method: 'GET', path: '/images/get', parameters: 'image save', body: 'none', handle: saveSeveral },
  { method: 'GET', path: '/images/:name*/get', parameters: 'image save', body: 'none', handle: saveOne },
  { method: 'GET', path: '/images/:name*/json', parameters: 'image inspect', body: 'none', handle: inspect },
  {
    method: 'GET',
    path: '/images/:name*/history',
    parameters: 'image history',
    body: 'none',
    handle: history,
  },
  { method: 'POST', path: '/images/create', parameters: 'image create', body: 'stream', handle: createImage },
  { method: 'POST', path: '/images/load', parameters: 'image load', body: 'stream', handle: load },
  { method: 'POST', path: '/images/:name*/tag', parameters: 'image tag', body: 'none', handle: tag },
  { method: 'POST', path: '/images/:name*/push', parameters: 'image push', body: 'none', handle: push },
  { method: 'DELETE', path: '/images/:name*', parameters: 'image delete', body: 'none', handle: remove },
]);

async function list(context: RouteContextOf<'image list'>): Promise<void> {
  const { job, query, apiVersion } = context;
  const withManifests = isAtLeast(apiVersion, '1.47') && query.bool('manifests');
  const options = {
    filters: withOldFilter(context),
    sharedSize: isAtLeast(apiVersion, '1.42') && query.bool('shared-size'),
    all: query.bool('all'),
  };
  const images = withManifests ? await listImagesWithManifests(job, options) : listImages(job, options);
  context.json(200, shapeSummaries(images, apiVersion));
}

// Before API 1.41 there was a parameter `filter`, which is a reference.
function withOldFilter({ query }: RouteContextOf<'image list'>): Filters {
  const filters = query.filters('filters');
  const pattern = query.string('filter');
  return pattern === ''
    ? filters
    : new Map([...filters, ['reference', [...(filters.get('reference') ?? []), pattern]]]);
}

async function inspect(context: RouteContextOf<'image inspect'>): Promise<void> {
  const { job, query, apiVersion } = context;
  const withManifests = isAtLeast(apiVersion, '1.48') && query.bool('manifests');
  const platform = onePlatform(context, 'image inspect');
  if (withManifests && platform !== '')
    throw new ShapeError('conflicting options: manifests and platform options cannot both be set');
  const inspected = await inspectImage(job, context.param('name'), { platform, withManifests });
  context.json(200, shapeInspect(inspected, apiVersion));
}

async function history(context: RouteContextOf<'image history'>): Promise<void> {
  const platform = onePlatform(context, 'image history');
  context.json(200, await historyImage(context.job, context.param('name'), platform));
}

async function load(context: RouteContextOf<'image load'>): Promise<void> {
  const { job, stream, signal, query } = context;
  const quiet = query.boolOr('quiet', false);
  const platform = onePlatform(context, 'image load');
  try {
    await answerWithProgress(context, (report) =>
      loadImage(job, { tar: stream, platform, quiet, report, signal }),
    );
  } catch (error) {
    if (signal.aborted) throw error;
    await sendErrorStream(context, error);
  }
}

async function tag(context: RouteContextOf<'image tag'>): Promise<void> {
  const { job, query } = context;
  await tagImage(job, context.param('name'), { repository: query.string('repo'), tag: query.string('tag') });
  context.empty(201);
}

async function remove(context: RouteContextOf<'image delete'>): Promise<void> {
  const { job, query } = context;
  const name = context.param('name');
  const force = query.bool('force');
  const platforms = allPlatforms(context);
  const removed =
    platforms.length > 0
      ? removePlatforms(job, name, { force, platforms })
      : removeImage(job, name, { force, keepParents: query.bool('noprune') });
  context.json(200, await removed);
}
