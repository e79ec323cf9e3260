import { EngineError, isErrorKind } from '../../errors.ts';
import { parseReference, recordName, withDefaultTag } from '../../oci/reference.ts';
import type { ImageFacts } from '../../policy/image-pattern.ts';
import type { Image } from '../../state/image-store.ts';
import type { Job } from '../job.ts';
import { resolveImage } from './resolve-image.ts';

/** What rules about images may ask of the image that a reference leads to in this job; asks nobody else. */
export function imageFactsOf(job: Pick<Job, 'images' | 'host'>, imageRef: string): ImageFacts {
  const image = findImage(job, imageRef);
  const names = image === undefined ? [] : job.images.namesOf(image.id);
  return {
    askedName: fullName(imageRef),
    isPresent: image !== undefined,
    pulledNames: names.filter(({ isPulled }) => isPulled).map(({ name }) => name),
    digests: image === undefined ? [] : [image.manifest.digest, ...names.map(({ target }) => target.digest)],
  };
}

function findImage(job: Pick<Job, 'images' | 'host'>, imageRef: string): Image | undefined {
  try {
    return resolveImage(job, imageRef);
  } catch (error) {
    if (isErrorKind(error, 'NotFound') || isErrorKind(error, 'InvalidArgument')) return undefined;
    throw error;
  }
}

function fullName(imageRef: string): string | undefined {
  try {
    return recordName(withDefaultTag(parseReference(imageRef)));
  } catch (error) {
    if (error instanceof EngineError) return undefined;
    throw error;
  }
}
