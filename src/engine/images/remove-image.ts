import { EngineError } from '../../errors.ts';
import { shortId } from '../../oci/digest.ts';
import { parseReference, recordName } from '../../oci/reference.ts';
import type { Container } from '../../state/container.ts';
import type { Image, ImageName } from '../../state/image-store.ts';
import type { ImageDeleteItem } from '../../wire/image-delete.ts';
import { isLive } from '../containers/require-running.ts';
import type { Job } from '../job.ts';
import { emitImageEvent } from './emit-image-event.ts';
import { familiarImageName, repositoryOf } from './image-names.ts';
import { isIdPrefixOf, resolveImage } from './resolve-image.ts';

/** `docker rmi`: takes one name away, or by id the image; Conflict in dockerd's words where it is needed. */
export async function removeImage(
  job: Job,
  imageRef: string,
  options: { readonly force: boolean },
): Promise<readonly ImageDeleteItem[]> {
  return job.images.lock.run('names', () =>
    new Removal(job, resolveImage(job, imageRef), options.force).run(imageRef),
  );
}

class Removal {
  readonly #job: Job;
  readonly #image: Image;
  readonly #force: boolean;
  readonly #items: ImageDeleteItem[] = [];

  constructor(job: Job, image: Image, force: boolean) {
    this.#job = job;
    this.#image = image;
    this.#force = force;
  }

  async run(imageRef: string): Promise<readonly ImageDeleteItem[]> {
    if (isIdPrefixOf(this.#image, imageRef)) await this.#removeById();
    else await this.#removeByName(imageRef);
    return this.#items;
  }

  async #removeByName(imageRef: string): Promise<void> {
    const user = this.#users()[0];
    if (!this.#force && user && isSingleReference(this.#names()))
      throw new EngineError(
        'Conflict',
        `conflict: unable to remove repository reference ${JSON.stringify(imageRef)} (must force) - container ` +
          `${shortId(user.id)} is using its referenced image ${shortId(this.#image.id)}`,
      );
    const removed = recordName(parseReference(imageRef));
    await this.#untag(removed);
    await this.#untagOrphanedDigests(removed);
    // A force took the last name of an image in use: the image itself stays, without a name.
    if (this.#names().length === 0 && this.#users().length === 0) await this.#delete();
  }

  // A digest alone is no name that somebody gave: it goes with the last tag of its repository.
  async #untagOrphanedDigests(removed: string): Promise<void> {
    const repository = repositoryOf(removed);
    const siblings = this.#names().filter(({ name }) => repositoryOf(name) === repository);
    if (removed.includes('@') || siblings.some(({ kind }) => kind === 'tag')) return;
    for (const { name } of siblings) await this.#untag(name);
  }

  async #removeById(): Promise<void> {
    const names = this.#names();
    this.#checkUsers();
    if (!this.#force && !isSingleReference(names))
      throw this.#conflict('must be forced', 'image is referenced in multiple repositories');
    for (const { name } of names) await this.#untag(name);
    await this.#delete();
  }

  #checkUsers(): void {
    const users = this.#users();
    const running = users.find(isLive);
    if (running)
      throw this.#conflict(
        'cannot be forced',
        `image is being used by running container ${shortId(running.id)}`,
      );
    const [stopped] = users;
    if (stopped && !this.#force)
      throw this.#conflict(
        'must be forced',
        `image is being used by stopped container ${shortId(stopped.id)}`,
      );
  }

  async #untag(name: string): Promise<void> {
    await this.#job.images.removeName(name);
    this.#items.push({ Untagged: familiarImageName(name) });
    this.#emit('untag');
  }

  async #delete(): Promise<void> {
    const others = this.#job.images.list().filter(({ id }) => id !== this.#image.id);
    const kept = new Set(others.flatMap(({ layers }) => layers.map(({ chainId }) => chainId)));
    await this.#job.images.remove(this.#image.id);
    this.#emit('delete');
    const gone = this.#image.layers.filter(({ chainId }) => !kept.has(chainId)).toReversed();
    this.#items.push({ Deleted: this.#image.id }, ...gone.map(({ chainId }) => ({ Deleted: chainId })));
  }

  #emit(action: 'untag' | 'delete'): void {
    emitImageEvent(this.#job, action, { image: this.#image, actorId: this.#image.id, name: this.#image.id });
  }

  #names(): readonly ImageName[] {
    return this.#job.images.namesOf(this.#image.id);
  }

  #users(): readonly Container[] {
    return this.#job.containers.list().filter(({ record }) => record.imageId === this.#image.id);
  }

  #conflict(force: string, why: string): EngineError {
    return new EngineError(
      'Conflict',
      `conflict: unable to delete ${shortId(this.#image.id)} (${force}) - ${why}`,
    );
  }
}

/** True when all names are one tag and its digest, or digests, of one repository: they go together. */
function isSingleReference(names: readonly ImageName[]): boolean {
  if (names.length <= 1) return true;
  const tags = names.filter(({ kind }) => kind === 'tag');
  return tags.length <= 1 && new Set(names.map(({ name }) => repositoryOf(name))).size === 1;
}
