import { ShapeError } from '../../errors.ts';
import {
  familiarString,
  parseReference,
  parseTag,
  recordName,
  type ImageReference,
} from '../../oci/reference.ts';
import type { Job } from '../job.ts';
import { emitImageEvent } from './emit-image-event.ts';
import { nameMeant } from './held-index.ts';
import { resolveImage } from './resolve-image.ts';

/** `docker tag`: one more name for an image; an image that had the name loses it. */
export async function tagImage(
  job: Job,
  imageRef: string,
  to: { readonly repository: string; readonly tag: string },
): Promise<void> {
  const reference = parseNewTag(to.repository, to.tag);
  await job.images.lock.run('names', async () => {
    const image = resolveImage(job, imageRef);
    const { target, members } = nameMeant(job, imageRef, image) ?? { target: image.manifest, members: [] };
    const name = recordName(reference);
    await job.images.put(image, [{ name, kind: 'tag', imageId: image.id, target, members }]);
    emitImageEvent(job, 'tag', { image, actorId: image.id, name: familiarString(reference) });
  });
}

/** The name that `repo` and `tag` of a tag ask for; InvalidArgument in dockerd's words. */
export function parseNewTag(repository: string, tag: string): ImageReference {
  const named = parseReference(repository);
  if (named.digest !== undefined) throw new ShapeError('refusing to create a tag with a digest reference');
  if (named.domain === 'docker.io' && named.path === 'library/sha256')
    throw new ShapeError('refusing to create an ambiguous tag using digest algorithm as name');
  return { ...named, tag: tag === '' ? (named.tag ?? 'latest') : parseTag(tag) };
}
