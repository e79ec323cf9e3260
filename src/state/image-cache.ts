import { createHash } from 'node:crypto';
import type { ContainerdImage, Images, NewImage } from '../containerd/types.ts';
import { isErrorKind } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ContentDescriptor } from '../oci/image-manifest.ts';

/** Keeps images when the jobs that pulled them end: a record of an owner's refers to each, and so to all of its parts. */
export interface ImageCache {
  /** Keeps an image that is held meanwhile, or takes it that it was used just now. */
  keep(image: ContentDescriptor & { readonly name: string }): Promise<void>;
  /** Writes down for later jobs what was used since the last time. */
  noteUses(): Promise<void>;
  /** Where the disk is too full: drops what no job uses, least recently used first, whoever kept it. Answers how many. */
  makeRoom(): Promise<number>;
}

/** What a cache is made with. */
export interface ImageCacheOptions {
  /** All records of the image namespace. */
  readonly images: Images;
  /** Who keeps; empty: nobody keeps anything. */
  readonly scope: string;
  readonly highPercent: number;
  readonly lowPercent: number;
  /** How full the disk is that the images are on. */
  readonly usedPercent: () => Promise<number>;
  readonly nowMs: () => number;
  readonly log: Logger;
}

const CACHE_PREFIX = 'cache.';
const SCOPE_LABEL = 'berth/cache.scope';
const NAME_LABEL = 'berth/cache.name';
const USED_LABEL = 'berth/cache.used';
/** To this the order of uses may be wrong, so that most pulls write nothing down. */
const NOTED_TO_MS = 60_000;

/** The cache of one owner. */
export function createImageCache(options: ImageCacheOptions): ImageCache {
  const { images, scope, nowMs } = options;
  const owner = `${CACHE_PREFIX}${createHash('sha256').update(scope).digest('hex').slice(0, 16)}`;
  const used = new Map<string, NewImage>();
  return {
    async keep({ mediaType, digest, size, name }) {
      if (scope === '') return;
      const usedMs = nowMs();
      const record = {
        name: `${owner}/${digest}`,
        target: { mediaType, digest, size, annotations: {} },
        labels: { [SCOPE_LABEL]: scope, [NAME_LABEL]: name, [USED_LABEL]: String(usedMs) },
      };
      const known = await findRecord(images, record.name);
      if (!known) await createOrUpdate(images, record);
      else if (usedMs - usedAt(known) >= NOTED_TO_MS) used.set(record.name, record);
    },
    async noteUses() {
      const records = [...used.values()];
      used.clear();
      for (const record of records) await updateRecord(images, record);
    },
    makeRoom: () => makeRoom(options),
  };
}

async function findRecord(images: Images, name: string): Promise<ContainerdImage | undefined> {
  try {
    return await images.get(name);
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}

// One that another job has dropped meanwhile stays so.
async function updateRecord(images: Images, record: NewImage): Promise<void> {
  try {
    await images.update(record);
  } catch (error) {
    if (!isErrorKind(error, 'NotFound')) throw error;
  }
}

/** Another job of the owner may have pulled it at the same time. */
async function createOrUpdate(images: Images, record: NewImage): Promise<void> {
  try {
    await images.create(record);
  } catch (error) {
    if (!isErrorKind(error, 'Conflict')) throw error;
    await images.update(record);
  }
}

async function makeRoom({
  images,
  usedPercent,
  highPercent,
  lowPercent,
  log,
}: ImageCacheOptions): Promise<number> {
  if ((await usedPercent()) <= highPercent) return 0;
  const records = await images.list();
  const used = new Set(records.filter((record) => !isCached(record)).map(({ target }) => target.digest));
  // Dropping what a job uses would free nothing now, and cost the next job a download.
  const candidates = records
    .filter((record) => isCached(record) && !used.has(record.target.digest))
    .sort((a, b) => usedAt(a) - usedAt(b));
  let dropped = 0;
  for (const { name, labels, target } of candidates) {
    if ((await usedPercent()) <= lowPercent) break;
    await dropRecord(images, name);
    dropped += 1;
    log.info(
      { image: labels[NAME_LABEL], digest: target.digest, scope: labels[SCOPE_LABEL] },
      'image dropped: the disk is too full',
    );
  }
  return dropped;
}

/** Returns after containerd has collected what only this record referred to. */
async function dropRecord(images: Images, name: string): Promise<void> {
  try {
    await images.delete(name, { sync: true });
  } catch (error) {
    if (!isErrorKind(error, 'NotFound')) throw error;
  }
}

function isCached({ name }: ContainerdImage): boolean {
  return name.startsWith(CACHE_PREFIX);
}

function usedAt({ labels }: ContainerdImage): number {
  return Number(labels[USED_LABEL] ?? 0);
}
