import { isAtLeast, type ApiVersion } from './api-version.ts';

/** Content type of an attached stream: from 1.42 on, frames are told from raw bytes. */
export function streamMediaType(isTty: boolean, version: ApiVersion): string {
  return !isTty && isAtLeast(version, '1.42')
    ? 'application/vnd.docker.multiplexed-stream'
    : 'application/vnd.docker.raw-stream';
}
