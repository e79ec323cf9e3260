import type { Readable } from 'node:stream';
import { EngineError } from '../../errors.ts';
import type { Job } from '../job.ts';
import { emitContainerEvent } from './emit-container-event.ts';

/** `docker export`: hands the tar of the container's own files, without its volumes, to `send`. */
export async function exportContainer(
  job: Job,
  containerRef: string,
  transfer: { readonly signal: AbortSignal; readonly send: (tar: Readable) => Promise<void> },
): Promise<void> {
  const container = job.containers.resolve(containerRef);
  if (container.isRemoving)
    throw new EngineError('Conflict', `You cannot export container ${container.id} which is being removed`);
  const exported = await job.rootfs.exportTree(container.rootMounts, transfer.signal);
  try {
    await transfer.send(exported.tar);
  } finally {
    exported.tar.destroy();
    await exported.close();
  }
  emitContainerEvent(job, container, { action: 'export' });
}
