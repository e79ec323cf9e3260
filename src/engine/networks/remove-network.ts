import { EngineError } from '../../errors.ts';
import type { Job } from '../job.ts';
import { emitNetworkEvent } from './emit-network-event.ts';
import { findNetwork } from './find-network.ts';

/** `DELETE /networks/{id}`: PermissionDenied in dockerd's words for a predefined one and for one in use. */
export async function removeNetwork(job: Job, networkRef: string): Promise<void> {
  const network = findNetwork(job, networkRef);
  if (network.isPredefined)
    throw new EngineError(
      'PermissionDenied',
      `${network.name} is a pre-defined network and cannot be removed`,
    );
  await job.network.removeNetwork(network.id);
  // As in dockerd, nothing tells of the end of a configuration.
  if (!network.configuration) emitNetworkEvent(job, network, { action: 'destroy' });
}
