import type { Variables } from '../../dockerfile/expand-word.ts';
import { formatPlatform, parsePlatform, type Platform } from '../../oci/platform.ts';
import { hostPlatform } from '../images/host-platform.ts';
import type { Job } from '../job.ts';

/** BUILDPLATFORM, TARGETARCH and the like; `platform` is what the client wants built, empty for the machine's own. */
export function platformArgs(job: Pick<Job, 'host'>, platform: string): Variables {
  const build = hostPlatform(job);
  const target = platform === '' ? build : parsePlatform(platform, build);
  return new Map([...describe('BUILD', build), ...describe('TARGET', target)]);
}

function describe(prefix: string, platform: Platform): readonly (readonly [string, string])[] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant],
  ];
}
