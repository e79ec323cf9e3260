import { EngineError, isErrorKind, ShapeError } from '../../errors.ts';
import { importImage, type ImportRequest } from '../../engine/images/import-image.ts';
import type { PullRequest } from '../../engine/images/pull-image.ts';
import { pullImages } from '../../engine/images/pull-images.ts';
import { parsePullReference } from '../../engine/images/pull-reference.ts';
import { repoTagReference } from '../../engine/images/repo-tag-reference.ts';
import { isAtLeast } from '../http/api-version.ts';
import { decodeRegistryAuth } from '../http/registry-auth.ts';
import type { RouteContextOf } from '../http/route.ts';
import { answerWithProgress } from './progress-stream.ts';

/** `POST /images/create`: a pull or an import. */
export async function createImage(context: RouteContextOf<'image create'>): Promise<void> {
  const { query } = context;
  const fromImage = pulledImage(query);
  if (fromImage !== '') await pull(context, fromImage);
  else await receive(context);
}

/** Of no meaning to a daemon of the time before API 1.32. */
function platformOf({ query, apiVersion }: RouteContextOf<'image create'>): string {
  return isAtLeast(apiVersion, '1.32') ? query.string('platform') : '';
}

/** What is to be pulled; empty where an archive comes with the request instead. */
export function pulledImage(query: RouteContextOf<'image create'>['query']): string {
  const fromImage = query.string('fromImage');
  if (fromImage === '' && query.string('fromSrc') === '')
    throw new ShapeError('fromImage or fromSrc is required');
  return fromImage;
}

async function receive(context: RouteContextOf<'image create'>): Promise<void> {
  const { job, query, stream, signal } = context;
  const request: Omit<ImportRequest, 'report'> = {
    tar: stream as AsyncIterable<Uint8Array>,
    reference: repoTagReference(query.string('repo'), query.string('tag')),
    message: query.string('message') || 'Imported from -',
    changes: query.list('changes'),
    platform: platformOf(context),
    signal,
  };
  await answerWithProgress(context, (report) => importImage(job, { ...request, report }));
}

async function pull(context: RouteContextOf<'image create'>, fromImage: string): Promise<void> {
  const { query } = context;
  const header = context.headers['x-registry-auth'];
  const credentials = decodeRegistryAuth(Array.isArray(header) ? header[0] : header);
  const request: Omit<PullRequest, 'report'> = {
    reference: parsePullReference(fromImage, query.string('tag')),
    platform: platformOf(context),
    ...(credentials ? { credentials } : {}),
    signal: context.signal,
  };
  await answerWithProgress(context, (report) =>
    pullImages(context.job, { ...request, report }).catch((error: unknown) => {
      throw withoutPrompt(error);
    }),
  );
}

/** A 401 would have the docker CLI ask for a password and wait for it, where nobody types; dockerd answers none either. */
function withoutPrompt(error: unknown): unknown {
  if (!isErrorKind(error, 'Unauthenticated')) return error;
  return new EngineError('Unavailable', error.message, { cause: error });
}
