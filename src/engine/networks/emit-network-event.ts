import type { NetworkFacts } from '../../network/types.ts';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';

/** Emits an event of every network that the container is on; hidden ones have none. */
export function emitMembership(job: Job, { id, record }: Container, action: 'connect' | 'disconnect'): void {
  if (record.isHidden) return;
  const ids = Object.values(record.endpoints).map(({ networkId }) => networkId);
  for (const network of job.network.networks.filter((one) => ids.includes(one.id)))
    emitNetworkEvent(job, network, { action, containerId: id });
}

/** Emits an event of a network with the attributes that dockerd gives each one. */
export function emitNetworkEvent(
  job: Job,
  network: NetworkFacts,
  event: { readonly action: string; readonly containerId?: string },
): void {
  const container = event.containerId === undefined ? {} : { container: event.containerId };
  job.events.emit({
    type: 'network',
    action: event.action,
    actorId: network.id,
    attributes: { ...container, name: network.name, type: network.driver },
  });
}
