import { isErrorKind } from '../../errors.ts';
import type { Image } from '../../state/image-store.ts';
import { resolveImage } from '../images/resolve-image.ts';
import type { Job } from '../job.ts';

/** Ids of the images named and of those built upon them; a name that leads nowhere adds nothing. */
export function findAncestors(job: Job, imageRefs: readonly string[]): ReadonlySet<string> {
  const named = imageRefs.flatMap((imageRef) => {
    const image = tryResolve(job, imageRef);
    return image ? [image] : [];
  });
  const images = job.images.list().filter((image) => named.some((base) => isBuiltOn(image, base)));
  return new Set([...named, ...images].map((image) => image.id));
}

function tryResolve(job: Job, imageRef: string): Image | undefined {
  try {
    return resolveImage(job, imageRef);
  } catch (error) {
    if (isErrorKind(error, 'NotFound') || isErrorKind(error, 'InvalidArgument')) return undefined;
    throw error;
  }
}

// An instruction that changes no file adds no layer, but a line of history.
function isBuiltOn(image: Image, base: Image): boolean {
  const { diffIds, history } = image.config;
  const isLonger = diffIds.length > base.config.diffIds.length || history.length > base.config.history.length;
  return isLonger && base.config.diffIds.every((diffId, index) => diffIds[index] === diffId);
}
