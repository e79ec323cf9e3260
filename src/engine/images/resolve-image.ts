import { EngineError } from '../../errors.ts';
import { isDigest } from '../../oci/digest.ts';
import { formatPlatform, parsePlatform, platformDistance } from '../../oci/platform.ts';
import { familiarString, parseReference, recordName, withDefaultTag } from '../../oci/reference.ts';
import type { Image } from '../../state/image-store.ts';
import type { Job } from '../job.ts';
import { hostPlatform } from './host-platform.ts';

/**
 * The image that a user's reference, id or id prefix leads to, for the platform where one is asked for (else empty);
 * NotFound and InvalidArgument in dockerd's words.
 */
export function resolveImage(job: Pick<Job, 'images' | 'host'>, imageRef: string, platform = ''): Image {
  const image = findImage(job, imageRef);
  if (platform === '') return image;
  const wanted = parsePlatform(platform, hostPlatform(job));
  if (platformDistance(wanted, image.config.platform) !== undefined) return image;
  throw new EngineError(
    'NotFound',
    `image with reference ${imageRef} was found but does not match the specified platform: ` +
      `wanted ${formatPlatform(wanted)}, actual: ${formatPlatform(image.config.platform)}`,
  );
}

function findImage(job: Pick<Job, 'images'>, imageRef: string): Image {
  const fullId = isDigest(imageRef) ? imageRef : `sha256:${imageRef}`;
  if (isDigest(fullId)) return byId(job, fullId) ?? notFound(fullId);
  const reference = parseReference(imageRef);
  const named = job.images.findName(recordName(reference));
  return named?.image ?? byPrefix(job, imageRef) ?? notFound(familiarString(withDefaultTag(reference)));
}

/** True when the text names the image by its id or the beginning of it, with or without `sha256:`. */
export function isIdPrefixOf(image: Image, imageRef: string): boolean {
  return image.id.startsWith(imageRef) || image.id.startsWith(`sha256:${imageRef}`);
}

function byId(job: Pick<Job, 'images'>, id: string): Image | undefined {
  return job.images.get(id);
}

function byPrefix(job: Pick<Job, 'images'>, imageRef: string): Image | undefined {
  const hex = imageRef.startsWith('sha256:') ? imageRef.slice('sha256:'.length) : imageRef;
  if (!/^[0-9a-f]{1,63}$/.test(hex)) return undefined;
  const matches = job.images.findByIdPrefix(hex);
  return matches.length === 1 ? matches[0] : undefined;
}

function notFound(shown: string): never {
  throw new EngineError('NotFound', `No such image: ${shown}`);
}
