import { pushImage } from '../../engine/images/push-image.ts';
import { pushReference } from '../../engine/images/push-reference.ts';
import { decodeRegistryAuth } from '../http/registry-auth.ts';
import type { RouteContextOf } from '../http/route.ts';
import { onePlatform } from './platform-parameter.ts';
import { answerWithProgress } from './progress-stream.ts';

/** `POST /images/{name}/push`. */
export async function push(context: RouteContextOf<'image push'>): Promise<void> {
  const { job, query, signal } = context;
  const header = context.headers['x-registry-auth'];
  const credentials = decodeRegistryAuth(Array.isArray(header) ? header[0] : header);
  const reference = pushReference(context.param('name'), query.string('tag'));
  const platform = onePlatform(context, 'image push');
  await answerWithProgress(context, (report) =>
    pushImage(job, { reference, platform, ...(credentials ? { credentials } : {}), report, signal }),
  );
}
