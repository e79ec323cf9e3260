import { ShapeError } from '../../errors.ts';
import { isAtLeast } from '../http/api-version.ts';
import type { RouteContext } from '../http/route.ts';

/** The first version of the API in which each endpoint looks at a platform. */
const SINCE = {
  'image push': '1.46',
  'image history': '1.48',
  'image save': '1.48',
  'image load': '1.48',
  'image inspect': '1.49',
} as const;

/** Endpoints whose `platform` is a JSON object. */
export type PlatformEndpoint = keyof typeof SINCE;

/** The one `platform` of a request, empty in older versions of the API: no daemon of their time looks at it. */
export function onePlatform(
  { query, apiVersion }: Pick<RouteContext<'platform'>, 'query' | 'apiVersion'>,
  endpoint: PlatformEndpoint,
): string {
  const platforms = isAtLeast(apiVersion, SINCE[endpoint]) ? query.list('platform') : [];
  if (platforms.length > 1)
    throw new ShapeError(
      'multiple platform parameters are not supported in this API version; use API version 1.52 or later',
    );
  return readPlatform(platforms[0] ?? '');
}

/** All `platforms` of a removal, none in older versions of the API. */
export function allPlatforms({
  query,
  apiVersion,
}: Pick<RouteContext<'platforms'>, 'query' | 'apiVersion'>): readonly string[] {
  return isAtLeast(apiVersion, '1.50') ? query.list('platforms').map(decodePlatform) : [];
}

/** The `platform` parameter of newer endpoints, a JSON object, as it would be typed; empty where it is absent. */
function readPlatform(text: string): string {
  return text === '' ? '' : decodePlatform(text);
}

function decodePlatform(text: string): string {
  const members = parseMembers(text);
  const word = (name: string): string => {
    const value = members[name] ?? '';
    if (typeof value !== 'string') throw invalid(text);
    return value;
  };
  const [os, architecture, variant] = [word('os'), word('architecture'), word('variant')];
  if (os === '' || architecture === '') throw new ShapeError('both OS and Architecture must be provided');
  return [os, architecture, ...(variant === '' ? [] : [variant])].join('/');
}

function parseMembers(text: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw invalid(text, cause);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw invalid(text);
  return Object.assign(Object.create(null) as Record<string, unknown>, parsed);
}

function invalid(text: string, cause?: unknown): ShapeError {
  return new ShapeError(`failed to parse platform: ${JSON.stringify(text.slice(0, 200))}`, {
    cause,
  });
}
