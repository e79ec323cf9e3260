import { isErrorKind } from '../../errors.ts';
import { GateRefusal } from '../../policy/gate-refusal.ts';
import type { Job } from '../job.ts';

/** Records a refusal of a door that has no table: a volume's options, a bind's source, a path of docker cp. */
export function auditRefusal(job: Job, error: unknown, request: { readonly what: string }): void {
  if (!isErrorKind(error, 'PermissionDenied') || error instanceof GateRefusal) return;
  job.audit.record({ verb: request.what, verdict: 'refused', reason: error.message });
}
