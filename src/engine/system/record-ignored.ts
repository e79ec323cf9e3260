import type { Job } from '../job.ts';

/** Records the members of a request's body that berth does not know; each is a dotted path. */
export function recordIgnored(job: Job, verb: string, fields: readonly string[]): void {
  for (const field of fields)
    job.audit.record({ verb, verdict: 'warned', field, reason: 'no field of this API; it was ignored' });
}
