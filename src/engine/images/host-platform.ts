import { normalizePlatform, type Platform } from '../../oci/platform.ts';
import type { Job } from '../job.ts';

/** The platform whose images run here without being asked for another. */
export function hostPlatform(job: Pick<Job, 'host'>): Platform {
  return normalizePlatform({ os: 'linux', architecture: job.host.architecture, variant: '' });
}
