import { isErrorKind } from '../../errors.ts';
import type { ContainersPruned } from '../../wire/container-prune.ts';
import { matchesLabels, parseTimestampNs, pruneFilters, type Filters } from '../filters.ts';
import type { Job } from '../job.ts';
import { measureSize } from './measure-size.ts';
import { removeContainer } from './remove-container.ts';
import { isLive } from './require-running.ts';

/** `POST /containers/prune`: removes what does not run; a container that cannot be removed stays, and is not counted. */
export async function pruneContainers(job: Job, filters: Filters): Promise<ContainersPruned> {
  const untilNs = pruneFilters(filters, job.nowNs());
  const prunable = job.containers
    .list()
    .filter(
      (container) =>
        !isLive(container) &&
        (untilNs === undefined || (parseTimestampNs(container.record.createdAt) ?? 0n) <= untilNs) &&
        matchesLabels(filters, container.record.config.Labels),
    );
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const container of prunable) {
    try {
      const { rwBytes } = await measureSize(job, container);
      await removeContainer(job, container.id, { force: false, removeVolumes: false });
      deleted.push(container.id);
      reclaimed += rwBytes;
    } catch (error) {
      // One that was started or removed meanwhile is no failure of ours.
      if (!isErrorKind(error, 'Conflict') && !isErrorKind(error, 'NotFound'))
        job.log.warn({ err: error, containerId: container.id }, 'container not pruned');
    }
  }
  job.events.emit({
    type: 'container',
    action: 'prune',
    actorId: '',
    attributes: { reclaimed: String(reclaimed) },
  });
  return { ContainersDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimed };
}
