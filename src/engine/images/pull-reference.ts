import { ShapeError } from '../../errors.ts';
import { isDigest } from '../../oci/digest.ts';
import { parseReference, parseTag, type ImageReference } from '../../oci/reference.ts';

/**
 * The reference of a pull: `tag` (a tag or a digest) takes the place of what `image` says. Without either it is every
 * tag of the repository; clients that mean `latest` say so.
 */
export function parsePullReference(image: string, tag: string): ImageReference {
  const reference = parseReference(image.trim().replace(/:$/, ''));
  if (tag === '') return reference;
  const { domain, path } = reference;
  if (isDigest(tag)) return { domain, path, digest: tag };
  if (tag.includes(':')) throw new ShapeError('invalid reference format');
  return { domain, path, tag: parseTag(tag) };
}
