import { familiarString, parseReference } from '../../oci/reference.ts';
import type { Image, ImageName } from '../../state/image-store.ts';
import type { Job } from '../job.ts';

/** The name as users see it. */
export function familiarImageName(name: string): string {
  return familiarString(parseReference(name));
}

/** The repository of a full name, without tag and digest. */
export function repositoryOf(name: string): string {
  // A colon before the last slash belongs to the host's port.
  const slash = name.lastIndexOf('/');
  return `${name.slice(0, slash)}${name.slice(slash).replace(/[:@].*$/s, '')}`;
}

/** Docker's two lists of an image's names, in the order of the whole names: a user's come before those of the library. */
export function repoNamesOf(
  job: Pick<Job, 'images'>,
  image: Image,
): { readonly repoTags: readonly string[]; readonly repoDigests: readonly string[] } {
  const names = job.images.namesOf(image.id);
  return { repoTags: shown(names, 'tag'), repoDigests: shown(names, 'digest') };
}

function shown(names: readonly ImageName[], kind: ImageName['kind']): readonly string[] {
  return names
    .filter((name) => name.kind === kind)
    .map(({ name }) => name)
    .sort()
    .map(familiarImageName);
}
