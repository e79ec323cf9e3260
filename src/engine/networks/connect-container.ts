import { EngineError } from '../../errors.ts';
import type { Job } from '../job.ts';
import { findNetwork } from './find-network.ts';

/** Which container a connect or disconnect names. */
export interface NetworkMembership {
  readonly networkRef: string;
  readonly containerRef: string;
}

/** `POST /networks/{id}/connect`: refused in dockerd's words where it would be, else NotImplemented. */
export function connectContainer(job: Job, { networkRef, containerRef }: NetworkMembership): void {
  const container = job.containers.resolve(containerRef);
  const network = findNetwork(job, networkRef);
  if (container.record.hostConfig.NetworkMode === network.name)
    throw new EngineError(
      'PermissionDenied',
      `endpoint with name ${container.record.name} already exists in network ${network.name}`,
    );
  throw new EngineError(
    'NotImplemented',
    `container ${containerRef} cannot be connected to ${network.name}: a container has the network it was created with`,
  );
}
