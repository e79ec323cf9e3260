import { saveImages } from '../../engine/images/save-images.ts';
import { EngineError } from '../../errors.ts';
import { isAtLeast } from '../http/api-version.ts';
import type { RouteContext } from '../http/route.ts';
import { readPlatform } from './platform-parameter.ts';

/** `GET /images/{name}/get`. */
export async function saveOne(context: RouteContext): Promise<void> {
  await save(context, [context.param('name')]);
}

/** `GET /images/get?names=…&names=…`. */
export async function saveSeveral(context: RouteContext): Promise<void> {
  await save(context, context.query.list('names'));
}

async function save(context: RouteContext, names: readonly string[]): Promise<void> {
  const { job, query, signal, apiVersion } = context;
  const platforms = isAtLeast(apiVersion, '1.48') ? query.list('platform') : [];
  if (platforms.length > 1)
    throw new EngineError(
      'InvalidArgument',
      'multiple platform parameters are not supported in this API version; use API version 1.52 or later',
    );
  await saveImages(job, {
    names,
    platform: readPlatform(platforms[0] ?? ''),
    signal,
    send: async (tar) => {
      const writer = context.openStream('application/x-tar');
      for await (const chunk of tar as AsyncIterable<Buffer>) await writer.write(chunk);
      await writer.end();
    },
  });
}
