import { EngineError } from '../../errors.ts';
import { shortId } from '../../oci/digest.ts';
import { parseReference, recordName } from '../../oci/reference.ts';
import type { Container, ContainerMount } from '../../state/container.ts';
import type { Image, ImageName } from '../../state/image-store.ts';
import type { ImageDeleteItem } from '../../wire/image-delete.ts';
import { isLive } from '../containers/require-running.ts';
import type { Job } from '../job.ts';
import { emitImageEvent } from './emit-image-event.ts';
import { familiarImageName, repositoryOf } from './image-names.ts';
import { isIdPrefixOf, resolveImage } from './resolve-image.ts';

/** How `docker rmi` asks. */
export interface RemoveImageOptions {
  readonly force: boolean;
  /** True: images that it was made from stay, though nothing else refers to them. */
  readonly keepParents?: boolean;
}

/** `docker rmi`: takes one name away, or by id the image; Conflict in dockerd's words where it is needed. */
export async function removeImage(
  job: Job,
  imageRef: string,
  options: RemoveImageOptions,
): Promise<readonly ImageDeleteItem[]> {
  return job.images.lock.run('names', () =>
    new Removal(job, resolveImage(job, imageRef), options).run(imageRef),
  );
}

class Removal {
  readonly #job: Job;
  readonly #image: Image;
  readonly #force: boolean;
  readonly #options: RemoveImageOptions;
  readonly #items: ImageDeleteItem[] = [];

  constructor(job: Job, image: Image, options: RemoveImageOptions) {
    this.#job = job;
    this.#image = image;
    this.#force = options.force;
    this.#options = options;
  }

  async run(imageRef: string): Promise<readonly ImageDeleteItem[]> {
    if (isIdPrefixOf(this.#image, imageRef)) await this.#removeById();
    else await this.#removeByName(imageRef);
    return this.#items;
  }

  async #removeByName(imageRef: string): Promise<void> {
    const user = this.#users()[0] ?? this.#mounters()[0];
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
    await this.#deleteUnlessNeeded();
  }

  async #deleteUnlessNeeded(): Promise<void> {
    const isNeeded =
      this.#names().length > 0 || this.#users().length > 0 || hasChildren(this.#job, this.#image);
    if (!isNeeded) await this.#delete();
  }

  // A digest alone is no name that somebody gave: it goes with the last tag of its repository, and no event tells of it.
  async #untagOrphanedDigests(removed: string): Promise<void> {
    const repository = repositoryOf(removed);
    const siblings = this.#names().filter(({ name }) => repositoryOf(name) === repository);
    if (removed.includes('@') || siblings.some(({ kind }) => kind === 'tag')) return;
    for (const { name } of siblings) {
      await this.#job.images.removeName(name);
      this.#items.push({ Untagged: familiarImageName(name) });
    }
  }

  async #removeById(): Promise<void> {
    const names = this.#names();
    if (hasChildren(this.#job, this.#image))
      throw this.#conflict('cannot be forced', 'image has dependent child images');
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
    this.#items.push(await untagImage(this.#job, this.#image, name));
  }

  async #delete(): Promise<void> {
    const others = this.#job.images.list().filter(({ id }) => id !== this.#image.id);
    const kept = new Set(others.flatMap(({ layers }) => layers.map(({ chainId }) => chainId)));
    await this.#job.images.remove(this.#image.id);
    emitRemoval(this.#job, this.#image, 'delete');
    const gone = this.#image.layers.filter(({ chainId }) => !kept.has(chainId)).toReversed();
    this.#items.push({ Deleted: this.#image.id }, ...gone.map(({ chainId }) => ({ Deleted: chainId })));
    const parent =
      this.#options.keepParents === true ? undefined : this.#job.images.get(this.#image.parentId);
    if (parent) this.#items.push(...(await new Removal(this.#job, parent, this.#options).prune()));
  }

  /** Removes an image that was only there for one made from it. */
  async prune(): Promise<readonly ImageDeleteItem[]> {
    await this.#deleteUnlessNeeded();
    return this.#items;
  }

  #names(): readonly ImageName[] {
    return this.#job.images.namesOf(this.#image.id);
  }

  #users(): readonly Container[] {
    return this.#job.containers.list().filter(({ record }) => record.imageId === this.#image.id);
  }

  /** Those that have it among their mounts: they keep its layers, so that it can be removed by force, or by its id. */
  #mounters(): readonly Container[] {
    const isImage = ({ type, shownSource }: ContainerMount): boolean =>
      type === 'image' && shownSource === this.#image.id;
    return this.#job.containers.list().filter(({ record }) => record.mounts.some(isImage));
  }

  #conflict(force: string, why: string): EngineError {
    return new EngineError(
      'Conflict',
      `conflict: unable to delete ${shortId(this.#image.id)} (${force}) - ${why}`,
    );
  }
}

/** Takes a name from an image, which may have no other afterwards; under the lock of names. */
export async function untagImage(job: Job, image: Image, name: string): Promise<ImageDeleteItem> {
  await job.images.removeName(name);
  emitRemoval(job, image, 'untag');
  return { Untagged: familiarImageName(name) };
}

/** Removes an image that has no name and that nothing of the job needs; under the lock of names. */
export async function pruneImage(job: Job, imageId: string): Promise<readonly ImageDeleteItem[]> {
  const image = job.images.get(imageId);
  return image ? new Removal(job, image, { force: false, keepParents: true }).prune() : [];
}

function emitRemoval(job: Job, image: Image, action: 'untag' | 'delete'): void {
  emitImageEvent(job, action, { image, actorId: image.id, name: image.id });
}

/** True when images of the job were made from this one. */
export function hasChildren(job: Pick<Job, 'images'>, { id }: Pick<Image, 'id'>): boolean {
  return job.images.list().some(({ parentId }) => parentId === id);
}

/** True when all names are one tag and its digest, or digests, of one repository: they go together. */
function isSingleReference(names: readonly ImageName[]): boolean {
  if (names.length <= 1) return true;
  const tags = names.filter(({ kind }) => kind === 'tag');
  return tags.length <= 1 && new Set(names.map(({ name }) => repositoryOf(name))).size === 1;
}
