import { isErrorKind } from '../../errors.ts';
import type { Container, ContainerRecord } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { encodeRecord, RECORD_EXTENSION } from './stored-record.ts';

/**
 * Changes a container's record at once in memory, and writes it through to containerd.
 * Writes of one container keep their order; one that has been removed meanwhile is left in peace.
 */
export async function updateRecord(
  job: Job,
  container: Container,
  change: Partial<ContainerRecord>,
): Promise<void> {
  container.record = { ...container.record, ...change };
  await job.containers.lock.run(`record ${container.id}`, async () => {
    try {
      await job.containerd.containers.update(
        { id: container.id, extensions: { [RECORD_EXTENSION]: encodeRecord(container.record) } },
        [`extensions.${RECORD_EXTENSION}`],
      );
    } catch (error) {
      if (!(container.isRemoving && isErrorKind(error, 'NotFound'))) throw error;
    }
  });
}
