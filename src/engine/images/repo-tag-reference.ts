import { ShapeError } from '../../errors.ts';
import { parseReference, parseTag, type ImageReference } from '../../oci/reference.ts';

/** The name that `repo` and `tag` of a commit or an import ask for; undefined where `repo` is empty, never with a digest. */
export function repoTagReference(repository: string, tag: string): ImageReference | undefined {
  if (repository === '') return undefined;
  const { domain, path, tag: typed, digest } = parseReference(repository);
  if (digest !== undefined) throw new ShapeError('cannot import digest reference');
  return { domain, path, tag: tag === '' ? (typed ?? 'latest') : parseTag(tag) };
}
