import { isErrorKind } from '../errors.ts';
import { resolveAllowPrivileged } from '../policy/allow-privileged.ts';
import type { GateContext } from '../policy/gate-context.ts';
import type { Job } from './job.ts';

/** What the gate decides by, for this job. */
export function gateContextOf(job: Job): GateContext {
  return {
    allowPrivileged: resolveAllowPrivileged(job.settings.allowPrivileged, job.settings.hostPlatform),
    host: job.host,
    budget: job.budget,
    findOwnContainer: (containerRef) => {
      try {
        return job.containers.resolve(containerRef).id;
      } catch (error) {
        if (isErrorKind(error, 'NotFound') || isErrorKind(error, 'InvalidArgument')) return undefined;
        throw error;
      }
    },
  };
}
