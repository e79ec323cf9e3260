import { EngineError } from '../../errors.ts';
import type { Job } from '../job.ts';
import type { NetworkMembership } from './connect-container.ts';
import { findNetwork } from './find-network.ts';

/** `POST /networks/{id}/disconnect`: refused in dockerd's words where it would be, else NotImplemented. */
export function disconnectContainer(job: Job, { networkRef, containerRef }: NetworkMembership): void {
  const network = findNetwork(job, networkRef);
  const container = job.containers.resolve(containerRef);
  if (container.record.hostConfig.NetworkMode !== network.name)
    throw new EngineError(
      'Conflict',
      `container ${container.id} is not connected to network ${network.name}`,
    );
  throw new EngineError(
    'NotImplemented',
    `container ${containerRef} cannot be disconnected from ${network.name}: a container keeps the network it was created with`,
  );
}
