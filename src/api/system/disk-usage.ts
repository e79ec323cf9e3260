import { diskUsage } from '../../engine/system/disk-usage.ts';
import { isAtLeast } from '../http/api-version.ts';
import { shapeSummaries } from '../images/shape.ts';
import type { RouteContextOf } from '../http/route.ts';

/** `GET /system/df`; `type` came with API 1.42, when `BuilderSize` left. */
export async function disk(context: RouteContextOf<'disk usage'>): Promise<void> {
  const { job, query, apiVersion } = context;
  const isNew = isAtLeast(apiVersion, '1.42');
  const usage = await diskUsage(job, isNew ? query.list('type') : []);
  const images = usage.Images && shapeSummaries(usage.Images, apiVersion);
  context.json(200, { ...usage, Images: images, ...(isNew ? {} : { BuildCache: null, BuilderSize: 0 }) });
}
