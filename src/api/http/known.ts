import type { Job } from '../../engine/job.ts';
import { recordIgnored } from '../../engine/system/record-ignored.ts';
import type { Decoded } from './decode.ts';

/** The request of a body whose answer has no place for warnings: members that nobody knows are recorded alone. */
export function known<T>(job: Job, verb: string, { request, ignored }: Decoded<T>): T {
  recordIgnored(job, verb, ignored);
  return request;
}
