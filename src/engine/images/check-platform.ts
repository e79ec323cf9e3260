import { EngineError } from '../../errors.ts';
import { formatPlatform, platformDistance, type Platform } from '../../oci/platform.ts';
import { familiarString } from '../../oci/reference.ts';
import type { Pull } from './pull-types.ts';

/** NotFound where a platform was asked for and the image is of another. */
export function checkPlatform({ isPlatformAsked, platform, reference }: Pull, actual: Platform): void {
  if (!isPlatformAsked || platformDistance(platform, actual) !== undefined) return;
  throw new EngineError(
    'NotFound',
    `image with reference ${familiarString(reference)} was found but does not match the specified platform: ` +
      `wanted ${formatPlatform(platform)}, actual: ${formatPlatform(actual)}`,
  );
}
