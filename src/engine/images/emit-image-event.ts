import type { Image } from '../../state/image-store.ts';
import type { Job } from '../job.ts';

/**
 * Tells the job's event log what happened to an image; its labels go along while it is there, as in dockerd. Without an
 * image it is all of a repository.
 */
export function emitImageEvent(
  job: Pick<Job, 'events'>,
  action: 'create' | 'pull' | 'push' | 'save' | 'import' | 'load' | 'tag' | 'untag' | 'delete',
  subject: { readonly image?: Image; readonly actorId: string; readonly name: string },
): void {
  const { image, actorId, name } = subject;
  job.events.emit({
    type: 'image',
    action,
    actorId,
    attributes: { ...(action === 'delete' ? {} : image?.config.config.labels), name },
  });
}
