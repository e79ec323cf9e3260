import { createHash } from 'node:crypto';
import type { ContainerdImage, Images, NewImage } from '../containerd/types.ts';
import { isErrorKind } from '../errors.ts';
import type { ImageLayer } from './image-store.ts';

/** What a step of a build came to, to be found again by all that it depended on. */
export interface CachedStep {
  /** Hex digest of everything that the result depends on, earlier steps included. */
  readonly key: string;
  /** The layers that it was made on: its own is good on no others. */
  readonly parentChainId: string;
  /** As history shows the step. */
  readonly description: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Undefined for a step that changed no file. */
  readonly layer: ImageLayer | undefined;
}

/** A cached step with its uses. */
export interface CacheEntry extends CachedStep {
  readonly lastUsedMs: number;
  readonly uses: number;
}

/** Steps of builds that need not be carried out again. */
export interface BuildCache {
  /** Takes over what earlier jobs of the same owner have left; only the first call does anything. */
  load(): Promise<void>;
  /** The step, counted as used; undefined where there is none, or where its parent is not on the same layers. */
  find(key: string, parentChainId: string): CachedStep | undefined;
  add(step: CachedStep): Promise<void>;
  /** The one that was not used for the longest time first. */
  list(): readonly CacheEntry[];
  /** Writes down for later jobs which steps were used since the last time. */
  noteUses(): Promise<void>;
  /** False where it was gone already. */
  remove(key: string): Promise<boolean>;
}

/** Where steps are kept for later jobs. */
export interface BuildCacheRecords {
  /** All records of the image namespace. */
  readonly images: Images;
  /** Whose they are; no other owner's are ever looked at. */
  readonly scope: string;
  /** Label by which a record keeps a snapshot from being collected. */
  readonly snapshotLabel: string;
}

const SCOPE_LABEL = 'berth/cache.scope';
const NAME_LABEL = 'berth/cache.name';
const USED_LABEL = 'berth/cache.used';
const STEP_LABEL = 'berth/cache.step';
/** Later jobs order steps by their last use; to this they may be wrong, so that a build writes nothing down for most. */
const NOTED_TO_MS = 60_000;
// containerd takes no longer label.
const MAX_DESCRIPTION = 1000;

/** Makes a cache; without records it ends with the job. */
export function createBuildCache(now: () => number, records?: BuildCacheRecords): BuildCache {
  const entries = new Map<string, CacheEntry>();
  const used = new Set<string>();
  const notedMs = new Map<string, number>();
  let loading: Promise<void> | undefined;
  const load = async (from: BuildCacheRecords): Promise<void> => {
    const prefix = prefixOf(from.scope);
    // containerd looks through all records of the host: only the owner's are sent.
    for (const record of await from.images.list([`name~="^${prefix.replaceAll('.', '[.]')}"`])) {
      const step = readRecord(record);
      if (step) {
        entries.set(step.key, step);
        notedMs.set(step.key, step.lastUsedMs);
      }
    }
  };
  return {
    load: () => (loading ??= records ? load(records) : Promise.resolve()),
    find(key, parentChainId) {
      const entry = entries.get(key);
      if (entry?.parentChainId !== parentChainId) return undefined;
      // At the end of the map: what was used last goes last.
      entries.delete(key);
      entries.set(key, { ...entry, lastUsedMs: now(), uses: entry.uses + 1 });
      used.add(key);
      return entry;
    },
    async add(step) {
      const entry = { ...step, lastUsedMs: now(), uses: 0 };
      entries.delete(step.key);
      entries.set(step.key, entry);
      notedMs.set(step.key, entry.lastUsedMs);
      if (records) await writeRecord(records, entry);
    },
    async noteUses() {
      const keys = [...used];
      used.clear();
      for (const key of keys) {
        const entry = entries.get(key);
        if (!records || !entry || entry.lastUsedMs - (notedMs.get(key) ?? 0) < NOTED_TO_MS) continue;
        await updateRecord(records, entry);
        notedMs.set(key, entry.lastUsedMs);
      }
    },
    list: () => [...entries.values()],
    async remove(key) {
      const isKnown = entries.delete(key);
      notedMs.delete(key);
      if (records && isKnown) await deleteRecord(records, key);
      return isKnown;
    },
  };
}

// Beside the records of images that are kept: what makes room for new ones finds both.
function prefixOf(scope: string): string {
  return `cache.${createHash('sha256').update(scope).digest('hex').slice(0, 16)}/step-`;
}

async function writeRecord(records: BuildCacheRecords, entry: CacheEntry): Promise<void> {
  const record = recordOf(records, entry);
  try {
    await records.images.create(record);
  } catch (error) {
    if (!isErrorKind(error, 'Conflict')) throw error;
    await records.images.update(record);
  }
}

// One that another job has dropped meanwhile stays so.
async function updateRecord(records: BuildCacheRecords, entry: CacheEntry): Promise<void> {
  try {
    await records.images.update(recordOf(records, entry));
  } catch (error) {
    if (!isErrorKind(error, 'NotFound')) throw error;
  }
}

function recordOf(records: BuildCacheRecords, entry: CacheEntry): NewImage {
  const { key, layer, lastUsedMs, description, parentChainId, createdAt } = entry;
  const step = JSON.stringify({ parentChainId, createdAt, ...(layer ? { layer } : {}) });
  return {
    name: prefixOf(records.scope) + key,
    // A step without a layer refers to nothing: its own key stands there.
    target: layer
      ? { ...layer.blob, annotations: {} }
      : { mediaType: 'application/octet-stream', digest: `sha256:${key}`, size: 1, annotations: {} },
    labels: {
      [SCOPE_LABEL]: records.scope,
      [NAME_LABEL]: description.slice(0, MAX_DESCRIPTION),
      [USED_LABEL]: String(lastUsedMs),
      [STEP_LABEL]: step,
      ...(layer ? { [records.snapshotLabel]: layer.chainId } : {}),
    },
  };
}

async function deleteRecord({ images, scope }: BuildCacheRecords, key: string): Promise<void> {
  try {
    await images.delete(prefixOf(scope) + key);
  } catch (error) {
    if (!isErrorKind(error, 'NotFound')) throw error;
  }
}

function readRecord({ name, labels }: ContainerdImage): CacheEntry | undefined {
  const text = labels[STEP_LABEL];
  if (text === undefined) return undefined;
  // Written by berth itself, where no job can write.
  const stored = JSON.parse(text) as Pick<CachedStep, 'parentChainId' | 'createdAt'> & {
    readonly layer?: ImageLayer;
  };
  return {
    key: name.slice(name.lastIndexOf('-') + 1),
    parentChainId: stored.parentChainId,
    createdAt: stored.createdAt,
    layer: stored.layer,
    description: labels[NAME_LABEL] ?? '',
    lastUsedMs: Number(labels[USED_LABEL] ?? 0),
    uses: 0,
  };
}
