import type { Container, ContainerMount } from '../../state/container.ts';
import type { Job } from '../job.ts';

/** Says that a container's volumes were mounted, before its `start`. */
export function emitVolumesMounted(job: Job, container: Container): void {
  for (const { name, destination, isReadWrite, propagation } of volumesOf(container))
    job.events.emit({
      type: 'volume',
      action: 'mount',
      actorId: name,
      attributes: {
        container: container.id,
        destination,
        driver: 'local',
        propagation,
        'read/write': String(isReadWrite),
      },
    });
}

/** Says that they are no longer mounted, after its `die`. */
export function emitVolumesUnmounted(job: Job, container: Container): void {
  for (const { name } of volumesOf(container))
    job.events.emit({
      type: 'volume',
      action: 'unmount',
      actorId: name,
      attributes: { container: container.id, driver: 'local' },
    });
}

function volumesOf({ record }: Container): readonly ContainerMount[] {
  return record.isHidden ? [] : record.mounts.filter(({ type }) => type === 'volume');
}
