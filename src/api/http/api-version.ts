import { EngineError } from '../../errors.ts';

/** A version of Docker's API; all that were ever served are 1.x. */
export type ApiVersion = `1.${number}`;

/** Newest version whose answers we shape. */
export const MAX_API_VERSION: ApiVersion = '1.51';

/** Oldest version we answer to. */
export const MIN_API_VERSION: ApiVersion = '1.24';

function minorOf(version: ApiVersion): number {
  return Number(version.slice(2));
}

/** True when `version` has what came with `since`. */
export function isAtLeast(version: ApiVersion, since: ApiVersion): boolean {
  return minorOf(version) >= minorOf(since);
}

/** The version that a path's prefix asks for (`1.41`), the newest without one; InvalidArgument, in dockerd's words, outside of ours. */
export function resolveApiVersion(asked: string | undefined): ApiVersion {
  if (asked === undefined) return MAX_API_VERSION;
  const [major, minor] = asked.split('.').map(Number);
  if (major === undefined || minor === undefined || Number.isNaN(major) || Number.isNaN(minor))
    throw new EngineError('InvalidArgument', `invalid API version: ${asked}`);
  if (major < 1 || (major === 1 && minor < minorOf(MIN_API_VERSION)))
    throw new EngineError(
      'InvalidArgument',
      `client version ${asked} is too old. Minimum supported API version is ${MIN_API_VERSION}, ` +
        'please upgrade your client to a newer version',
    );
  if (major > 1 || minor > minorOf(MAX_API_VERSION))
    throw new EngineError(
      'InvalidArgument',
      `client version ${asked} is too new. Maximum supported API version is ${MAX_API_VERSION}`,
    );
  return `1.${minor}`;
}
