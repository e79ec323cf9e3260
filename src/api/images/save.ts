import { saveImages } from '../../engine/images/save-images.ts';
import type { RouteContextOf } from '../http/route.ts';
import { onePlatform } from './platform-parameter.ts';

/** `GET /images/{name}/get`. */
export async function saveOne(context: RouteContextOf<'image save'>): Promise<void> {
  await save(context, [context.param('name')]);
}

/** `GET /images/get?names=…&names=…`. */
export async function saveSeveral(context: RouteContextOf<'image save'>): Promise<void> {
  await save(context, context.query.list('names'));
}

async function save(context: RouteContextOf<'image save'>, names: readonly string[]): Promise<void> {
  const { job, signal } = context;
  await saveImages(job, {
    names,
    platform: onePlatform(context, 'image save'),
    signal,
    send: async (tar) => {
      const writer = context.openStream('application/x-tar');
      for await (const chunk of tar as AsyncIterable<Buffer>) await writer.write(chunk);
      await writer.end();
    },
  });
}
