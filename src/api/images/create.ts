import { EngineError } from '../../errors.ts';
import { pullImage, type PullRequest } from '../../engine/images/pull-image.ts';
import { parsePullReference } from '../../engine/images/pull-reference.ts';
import { decodeRegistryAuth } from '../http/registry-auth.ts';
import type { RouteContext } from '../http/route.ts';
import { answerWithProgress } from './progress-stream.ts';

/** `POST /images/create`: a pull; an import is refused. */
export async function createImage(context: RouteContext): Promise<void> {
  const { query } = context;
  const fromImage = query.string('fromImage');
  if (fromImage === '') {
    if (query.string('fromSrc') !== '')
      throw new EngineError(
        'NotImplemented',
        'importing an image (fromSrc) is not supported: use POST /images/load',
      );
    throw new EngineError('InvalidArgument', 'fromImage is required');
  }
  const header = context.headers['x-registry-auth'];
  const credentials = decodeRegistryAuth(Array.isArray(header) ? header[0] : header);
  const request: Omit<PullRequest, 'report'> = {
    reference: parsePullReference(fromImage, query.string('tag')),
    platform: query.string('platform'),
    ...(credentials ? { credentials } : {}),
    signal: context.signal,
  };
  await answerWithProgress(context, (report) => pullImage(context.job, { ...request, report }));
}
