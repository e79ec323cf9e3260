import type { ContainerdImage, Images, NewImage } from '../containerd/types.ts';
import { isErrorKind } from '../errors.ts';
import { createKeyedLock, type KeyedLock } from '../lib/keyed-lock.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { ContentDescriptor } from '../oci/image-manifest.ts';

/** One layer of an image, as stored and as unpacked. */
export interface ImageLayer {
  readonly blob: ContentDescriptor;
  readonly diffId: string;
  /** Name of the committed snapshot of this layer and all below it. */
  readonly chainId: string;
  /** Space that the unpacked layer takes by itself. */
  readonly sizeBytes: number;
}

/** An image of the job: content and snapshots are there and kept as long as a name of it exists. */
export interface Image {
  /** Digest of the image's configuration, `sha256:…`. */
  readonly id: string;
  /** The manifest of the platform that was pulled or loaded: of several for the same configuration, the latest named. */
  readonly manifest: ContentDescriptor;
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
  /** Parent of a container's snapshot; empty for an image without layers. */
  readonly chainId: string;
  /** Id of the image that it was made from here, by a commit or a build; else empty. */
  readonly parentId: string;
}

/** `dangling` names nothing to the user: it keeps an image that lost its last name. */
export type ImageNameKind = 'tag' | 'digest' | 'dangling';

/** A name that leads to an image; each is a record in containerd. */
export interface ImageName {
  /** `domain/path:tag`, `domain/path@sha256:…`, or the reserved name of a dangling image. */
  readonly name: string;
  readonly kind: ImageNameKind;
  readonly imageId: string;
  /** The image as it was given with this name: only that form's manifest and blobs does the record keep. */
  readonly image: Image;
  /** What was asked for: the manifest or the index that lists it. */
  readonly target: ContentDescriptor;
  /** Where the target is an index: the positions in it of the manifests that the job has. */
  readonly members: readonly number[];
  /** True where a registry has said to this job that the name leads to the image. */
  readonly isPulled: boolean;
  readonly taggedAt: Date;
}

/** A name to be given to an image that is in the store. */
export interface NewImageName {
  readonly name: string;
  readonly kind: Exclude<ImageNameKind, 'dangling'>;
  readonly imageId: string;
  readonly target: ContentDescriptor;
  /** Where the target is an index: the positions in it of the manifests that the job has, that of the image included. */
  readonly members?: readonly number[];
  /** Set where a registry has just said to this job that the name leads to the image. */
  readonly isPulled?: boolean;
}

/**
 * The job's images, in memory and, name by name, in containerd. A change of names runs under `lock`;
 * an image without any name does not stay.
 */
export interface ImageStore {
  readonly lock: KeyedLock;
  /**
   * Bytes that have been unpacked for images that are not there yet, by the name of the snapshot: what is under way counts
   * against the job's limit, too.
   */
  readonly unpacking: Map<string, number>;
  /** By full id. */
  get(id: string): Image | undefined;
  /** All images, in no particular order. */
  list(): readonly Image[];
  /** The name, if it is taken; never a reserved one. */
  findName(name: string): ImageName | undefined;
  /** Names of an image that a user can see, oldest first. */
  namesOf(id: string): readonly ImageName[];
  /** Images whose id's hex digits begin so. */
  findByIdPrefix(hexPrefix: string): readonly Image[];
  /** Adds an image with its first names (none: dangling), or more names to one that is known; a name moves to it. */
  put(image: Image, names: readonly NewImageName[]): Promise<void>;
  /** Takes a name away; an image without other names becomes dangling. */
  removeName(name: string): Promise<void>;
  /** Forgets the image and all its names; returns after containerd has collected what only it used. */
  remove(id: string): Promise<void>;
  /** What containerd has from an earlier process: records by the digest of the manifest that they lead to. */
  readRecords(): Promise<ReadonlyMap<string, readonly ContainerdImage[]>>;
  /** Takes such an image over with its records; writes nothing. */
  restore(image: Image, records: readonly ContainerdImage[]): void;
  /** Deletes records that lead to nothing. */
  dropRecords(records: readonly ContainerdImage[]): Promise<void>;
}

// Which platform's manifest of an index the job has.
const MANIFEST_LABEL = 'berth/image.manifest';
const MEMBERS_LABEL = 'berth/image.members';
const PARENT_LABEL = 'berth/image.parent';
const PULLED_LABEL = 'berth/image.pulled';
// No reference begins so: a normalised one has a slash before any `@`.
const DANGLING_PREFIX = 'berth-dangling@';

/** Makes an empty store that writes its names to these records of containerd. */
export function createImageStore(records: Images): ImageStore {
  return new RecordedImageStore(records);
}

class RecordedImageStore implements ImageStore {
  readonly lock = createKeyedLock();
  readonly unpacking = new Map<string, number>();
  readonly #records: Images;
  readonly #images = new Map<string, Image>();
  readonly #names = new Map<string, ImageName>();

  constructor(records: Images) {
    this.#records = records;
  }

  get(id: string): Image | undefined {
    return this.#images.get(id);
  }

  list(): readonly Image[] {
    return [...this.#images.values()];
  }

  findName(name: string): ImageName | undefined {
    const found = this.#names.get(name);
    return found?.kind === 'dangling' ? undefined : found;
  }

  namesOf(id: string): readonly ImageName[] {
    return this.#allNamesOf(id).filter(({ kind }) => kind !== 'dangling');
  }

  findByIdPrefix(hexPrefix: string): readonly Image[] {
    return this.list().filter(({ id }) => id.startsWith(`sha256:${hexPrefix}`));
  }

  async put(image: Image, names: readonly NewImageName[]): Promise<void> {
    const parentId = image.parentId || (this.#images.get(image.id)?.parentId ?? '');
    await this.#putNames(parentId === image.parentId ? image : { ...image, parentId }, names);
  }

  async removeName(name: string): Promise<void> {
    const found = this.#names.get(name);
    if (!found || found.kind === 'dangling') return;
    await this.#keepWithout(found);
    await this.#deleteName(found, false);
  }

  async remove(id: string): Promise<void> {
    const names = this.#allNamesOf(id);
    for (const [index, name] of names.entries()) await this.#deleteName(name, index === names.length - 1);
  }

  async readRecords(): Promise<ReadonlyMap<string, readonly ContainerdImage[]>> {
    const byManifest = new Map<string, ContainerdImage[]>();
    for (const record of await this.#records.list()) {
      const digest = record.labels[MANIFEST_LABEL] ?? record.target.digest;
      byManifest.set(digest, [...(byManifest.get(digest) ?? []), record]);
    }
    return byManifest;
  }

  restore(image: Image, records: readonly ContainerdImage[]): void {
    const parentId = records.map(({ labels }) => labels[PARENT_LABEL]).find((label) => label !== undefined);
    const given = parentId === undefined ? image : { ...image, parentId };
    for (const { name, target, labels, updatedAt } of records) {
      const { mediaType, digest, size } = target;
      this.#addName({
        image: given,
        name,
        kind: kindOf(name),
        imageId: image.id,
        target: { mediaType, digest, size },
        members: parseMembers(labels[MEMBERS_LABEL]),
        isPulled: labels[PULLED_LABEL] === 'true',
        taggedAt: updatedAt,
      });
    }
  }

  async dropRecords(records: readonly ContainerdImage[]): Promise<void> {
    for (const { name } of records) await this.#deleteRecord(name, false);
  }

  async #putNames(image: Image, names: readonly NewImageName[]): Promise<void> {
    for (const name of names) {
      const before = this.#names.get(name.name);
      if (before && before.imageId !== name.imageId) await this.#keepWithout(before);
      await this.#writeName(image, name);
    }
    if (names.length > 0) await this.#dropDangling(image.id);
    else if (this.#allNamesOf(image.id).length === 0)
      await this.#writeDangling(image, { target: image.manifest, members: [] });
  }

  #allNamesOf(id: string): readonly ImageName[] {
    return [...this.#names.values()].filter(({ imageId }) => imageId === id);
  }

  // The reserved record is made before the last name goes: in between, containerd would collect the image.
  async #keepWithout(name: ImageName): Promise<void> {
    if (this.#allNamesOf(name.imageId).length === 1) await this.#writeDangling(name.image, name);
  }

  async #writeDangling(
    image: Image,
    { target, members }: Pick<ImageName, 'target' | 'members'>,
  ): Promise<void> {
    const name = `${DANGLING_PREFIX}${image.id}`;
    await this.#writeName(image, { name, kind: 'dangling', imageId: image.id, target, members });
  }

  async #dropDangling(imageId: string): Promise<void> {
    const dangling = this.#names.get(`${DANGLING_PREFIX}${imageId}`);
    if (dangling) await this.#deleteName(dangling, false);
  }

  async #writeName(
    image: Image,
    name: Omit<NewImageName, 'kind'> & { readonly kind: ImageNameKind },
  ): Promise<void> {
    const { isPulled = false, members = [] } = name;
    const { manifest, parentId } = image;
    const record = {
      name: name.name,
      target: { ...name.target, annotations: {} },
      labels: {
        [MANIFEST_LABEL]: manifest.digest,
        ...(parentId === '' ? {} : { [PARENT_LABEL]: parentId }),
        ...(isPulled ? { [PULLED_LABEL]: 'true' } : {}),
        ...(members.length > 0 ? { [MEMBERS_LABEL]: members.join(',') } : {}),
      },
    };
    const { updatedAt } = await this.#writeRecord(record);
    this.#addName({ ...name, image, isPulled, members, taggedAt: updatedAt });
  }

  // Names stand in the order of their making: one that moves goes to the end.
  #addName(name: ImageName): void {
    this.#dropName(name.name);
    this.#names.set(name.name, name);
    this.#images.set(name.imageId, name.image);
  }

  #dropName(name: string): void {
    const dropped = this.#names.get(name);
    if (!dropped) return;
    this.#names.delete(name);
    const latest = this.#allNamesOf(dropped.imageId).at(-1);
    if (latest) this.#images.set(latest.imageId, latest.image);
    else this.#images.delete(dropped.imageId);
  }

  async #writeRecord(record: NewImage): Promise<ContainerdImage> {
    try {
      return await this.#records.create(record);
    } catch (error) {
      if (!isErrorKind(error, 'Conflict')) throw error;
      return this.#records.update(record);
    }
  }

  async #deleteName(name: ImageName, sync: boolean): Promise<void> {
    await this.#deleteRecord(name.name, sync);
    this.#dropName(name.name);
  }

  async #deleteRecord(name: string, sync: boolean): Promise<void> {
    try {
      await this.#records.delete(name, { sync });
    } catch (error) {
      if (!isErrorKind(error, 'NotFound')) throw error;
    }
  }
}

function parseMembers(label: string | undefined): readonly number[] {
  return label === undefined ? [] : label.split(',').map(Number).filter(Number.isSafeInteger);
}

function kindOf(name: string): ImageNameKind {
  if (name.startsWith(DANGLING_PREFIX)) return 'dangling';
  return name.includes('@') ? 'digest' : 'tag';
}
