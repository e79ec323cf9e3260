import { pushImage } from '../../engine/images/push-image.ts';
import { pushReference } from '../../engine/images/push-reference.ts';
import { isAtLeast } from '../http/api-version.ts';
import { decodeRegistryAuth } from '../http/registry-auth.ts';
import type { RouteContext } from '../http/route.ts';
import { readPlatform } from './platform-parameter.ts';
import { answerWithProgress } from './progress-stream.ts';

/** `POST /images/{name}/push`. */
export async function push(context: RouteContext): Promise<void> {
  const { job, query, signal, apiVersion } = context;
  const header = context.headers['x-registry-auth'];
  const credentials = decodeRegistryAuth(Array.isArray(header) ? header[0] : header);
  const reference = pushReference(context.param('name'), query.string('tag'));
  // Older clients send a platform that no daemon of their time has looked at.
  const platform = isAtLeast(apiVersion, '1.46') ? readPlatform(query.string('platform')) : '';
  await answerWithProgress(context, (report) =>
    pushImage(job, { reference, platform, ...(credentials ? { credentials } : {}), report, signal }),
  );
}
