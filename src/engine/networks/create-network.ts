import { EngineError } from '../../errors.ts';
import type { Job } from '../job.ts';

/** `POST /networks/create`: a predefined name is PermissionDenied as in dockerd, any other is NotImplemented. */
export function createNetwork(job: Job, name: string): void {
  throw refusal(job, name);
}

function refusal(job: Job, name: string): EngineError {
  if (name.trim() === '') return new EngineError('InvalidArgument', 'invalid network name: name is empty');
  if (job.network.networks.some((network) => network.name === name))
    return new EngineError('PermissionDenied', `operation is not permitted on predefined ${name} network`);
  return new EngineError(
    'NotImplemented',
    `network ${name} cannot be created: this daemon has the networks bridge, host and none`,
  );
}
