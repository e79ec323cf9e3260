import { isErrorKind, ShapeError, UnservedError } from '../../errors.ts';
import { GateRefusal } from '../../policy/gate-refusal.ts';
import type { Job } from '../job.ts';

/**
 * Records a refusal that no table has recorded: of a value that is not of its form, of a bind's source, of a path of
 * docker cp, of what is not served.
 */
export function auditRefusal(job: Job, error: unknown, request: { readonly what: string }): void {
  if (error instanceof GateRefusal) return;
  if (error instanceof ShapeError) {
    const field = error.field === undefined ? {} : { field: error.field };
    job.audit.record({ verb: request.what, verdict: 'refused', ...field, reason: error.reason });
  } else if (
    error instanceof UnservedError ||
    isErrorKind(error, 'PermissionDenied') ||
    isErrorKind(error, 'NotImplemented')
  )
    job.audit.record({ verb: request.what, verdict: 'refused', reason: error.message });
}
