import { familiarString, recordName, type ImageReference } from '../../oci/reference.ts';
import type { Image } from '../../state/image-store.ts';
import { emitImageEvent } from './emit-image-event.ts';
import type { ImageWork } from './image-work.ts';

/** Puts an image that was made here among the job's, under the name if it has one. */
export async function nameNewImage(
  { job }: ImageWork,
  image: Image,
  reference: ImageReference | undefined,
): Promise<void> {
  const shared = { kind: 'tag' as const, imageId: image.id, target: image.manifest };
  const names = reference ? [{ ...shared, name: recordName(reference) }] : [];
  await job.images.lock.run('names', () => job.images.put(image, names));
  if (reference) emitImageEvent(job, 'tag', { image, actorId: image.id, name: familiarString(reference) });
}
