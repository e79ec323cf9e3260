import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';

/** Emits a container's event with the attributes dockerd gives each one: labels, image, name; hidden ones have no events. */
export function emitContainerEvent(
  job: Job,
  container: Container,
  event: { readonly action: string; readonly attributes?: Readonly<Record<string, string>> },
): void {
  const { record } = container;
  if (record.isHidden) return;
  job.events.emit({
    type: 'container',
    action: event.action,
    actorId: container.id,
    attributes: {
      ...record.config.Labels,
      image: record.config.Image,
      name: record.name,
      ...event.attributes,
    },
  });
}
