import { parseReference, type ImageReference } from '../../oci/reference.ts';
import { repoTagReference } from './repo-tag-reference.ts';

/** What a push names: with neither a `tag` nor one in the name it is every tag of the repository. */
export function pushReference(name: string, tag: string): ImageReference {
  return (tag === '' ? undefined : repoTagReference(name, tag)) ?? parseReference(name);
}
