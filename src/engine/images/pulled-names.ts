import { parseImageIndex } from '../../oci/image-manifest.ts';
import { recordName, repositoryName } from '../../oci/reference.ts';
import type { Image, NewImageName } from '../../state/image-store.ts';
import type { Job } from '../job.ts';
import { positionsOf } from './held-index.ts';
import type { Pull, PulledImage } from './pull-types.ts';

/** The names that a pull gives to an image. */
export interface PulledNames {
  /** The tag; none where a digest was asked for. */
  readonly tag: readonly NewImageName[];
  /** A pull by tag gives it as well: it stays when the tag moves on. */
  readonly digest: NewImageName;
}

/** The names of an image that was pulled just now. */
export function pulledNames(job: Pick<Job, 'images'>, pull: Pull, pulled: PulledImage): PulledNames {
  return namesOf(pull, pulled.image, whatNamed(job, pull, pulled));
}

/** The names of an image that the pull's reference leads to by way of this target. */
export function namesOf(
  { reference, target }: Pull,
  image: Image,
  found: Pick<NewImageName, 'target' | 'members'>,
): PulledNames {
  const shared = { ...found, imageId: image.id, isPulled: true };
  return {
    tag: reference.digest === undefined ? [{ ...shared, name: recordName(reference), kind: 'tag' }] : [],
    digest: { ...shared, name: `${repositoryName(reference)}@${target.digest}`, kind: 'digest' },
  };
}

/** What the registry named: of an index, the manifest that was pulled beside those that earlier pulls have brought. */
function whatNamed(
  job: Pick<Job, 'images'>,
  { reference }: Pull,
  { selected: { index, manifest } }: PulledImage,
): Pick<NewImageName, 'target' | 'members'> {
  const { mediaType, digest, size } = index ?? manifest;
  const target = { mediaType, digest, size };
  if (!index) return { target };
  const before = job.images.findName(recordName(reference));
  const earlier = before?.target.digest === digest ? before.members : [];
  const pulled = positionsOf(parseImageIndex(index.bytes, mediaType), [manifest.digest]);
  return { target, members: [...new Set([...earlier, ...pulled])].sort((a, b) => a - b) };
}
