import { EngineError } from '../../errors.ts';
import type { Job } from '../job.ts';
import { findNetwork } from './find-network.ts';

/** `DELETE /networks/{id}`: PermissionDenied in dockerd's words, for the job's networks are predefined ones. */
export function removeNetwork(job: Job, networkRef: string): void {
  const network = findNetwork(job, networkRef);
  throw new EngineError('PermissionDenied', `${network.name} is a pre-defined network and cannot be removed`);
}
