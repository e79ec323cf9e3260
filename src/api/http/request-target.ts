import { posix } from 'node:path';
import { EngineError } from '../../errors.ts';

/** A request's target in its two parts: the raw path, and what follows the question mark. */
export interface RequestTarget {
  readonly path: string;
  readonly search: string;
}

/** Splits a target at its first question mark. */
export function splitTarget(url: string): RequestTarget {
  const mark = url.indexOf('?');
  return mark === -1 ? { path: url, search: '' } : { path: url.slice(0, mark), search: url.slice(mark + 1) };
}

/**
 * Where dockerd would redirect to: the path without empty, `.` and `..` segments, or undefined when it has none.
 * InvalidArgument for what is no plain path, so that no two readers of it can disagree.
 */
export function cleanerPath(path: string): string | undefined {
  // Visible ASCII without the hash: anything else is read differently by one URL parser or another.
  if (!/^\/[!"$-~]*$/.test(path)) throw new EngineError('InvalidArgument', 'malformed request target');
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch (cause) {
    throw new EngineError('InvalidArgument', 'malformed request target', { cause });
  }
  if (decoded.includes('\0')) throw new EngineError('InvalidArgument', 'malformed request target');
  const clean = posix.normalize(decoded);
  return clean === decoded ? undefined : encodeURI(clean);
}
