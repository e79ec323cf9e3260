import type { NetworkFacts } from '../../network/types.ts';
import type { Job } from '../job.ts';

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
