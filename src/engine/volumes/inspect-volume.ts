import type { Volume } from '../../wire/volume.ts';
import type { Job } from '../job.ts';
import { describeVolume } from './describe-volume.ts';
import { findVolume } from './find-volume.ts';

/** `GET /volumes/{name}`. */
export function inspectVolume(job: Job, name: string): Volume {
  return describeVolume(findVolume(job, name));
}
