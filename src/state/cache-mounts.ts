import { mkdir, open, readdir, readFile, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { EngineError, isErrorKind } from '../errors.ts';
import type { OwnTrees } from '../host/own-trees.ts';
import type { Libc } from '../host/types.ts';
import { createRandomId } from '../lib/random-id.ts';

/** A directory that a build step has as its cache. */
export interface CacheMountPlace {
  /** Holds `path`, which is all that may be put there. */
  readonly directory: string;
  readonly path: string;
  /** True where it was made just now: nothing is in it, and nobody else has it before it is settled. */
  readonly isNew: boolean;
  /** What it begins with is there; the description is what listings show. */
  settle(description: string): Promise<void>;
  release(): Promise<void>;
}

/** How a cache is shared with steps that run at the same time. */
export type CacheSharing = 'shared' | 'private' | 'locked';

/** A cache as listings show it. */
export interface CacheMountRecord {
  /** 64 hex digits. */
  readonly name: string;
  readonly description: string;
  /** 0 while a step has it: paths in it are not walked then. */
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  readonly lastUsedMs: number;
  readonly isInUse: boolean;
}

/** Directories that steps of builds share with later ones: of the job, or of all jobs of an owner, whose processes see each other. */
export interface CacheMounts {
  /**
   * Opens the cache of this name (64 hex digits): `shared` with others at the same time, `locked` after them, or `private`:
   * a directory of its own where another step has it. Cancelled with the signal.
   */
  open(name: string, sharing: CacheSharing, signal: AbortSignal): Promise<CacheMountPlace>;
  /** The one that was not used for the longest time first. */
  list(): Promise<readonly CacheMountRecord[]>;
  /** False where a step has it. */
  remove(name: string): Promise<boolean>;
}

const DATA = 'data';
const LOCK = 'lock';
const SETTLED = 'settled';
const NAME = /^[0-9a-f]{64}$/;
const POLL_MS = 50;

type LockKind = 'exclusive' | 'shared';

/** Where caches are. */
export interface CacheMountOptions {
  /** The owner's directory; made with the first cache. */
  readonly root: string;
  /** The job's own, for those that nobody else gets. */
  readonly privateRoot: string;
  readonly libc: Pick<Libc, 'flock'>;
  /** The lock is free where berth was killed, and its step may still be at work in the cache. */
  readonly trees: OwnTrees;
}

/** Makes the caches below directories of berth's own. */
export function createCacheMounts(caches: CacheMountOptions): CacheMounts {
  const { root } = caches;
  return {
    async open(name, sharing, signal) {
      if (!NAME.test(name)) throw new EngineError('Internal', 'a cache is named by a digest');
      if (sharing !== 'private') return openCommon(caches, { name, sharing, signal });
      const lock = await tryLock(caches, name, 'exclusive');
      return lock ? openLocked(caches, { name, lock, settledLock: 'exclusive' }) : openOwn(caches);
    },
    async list() {
      const records: CacheMountRecord[] = [];
      for (const name of await namesIn(root)) records.push(...(await describe(caches, name)));
      return records.sort((a, b) => a.lastUsedMs - b.lastUsedMs);
    },
    async remove(name) {
      const lock = await tryLock(caches, name, 'exclusive');
      if (!lock) return false;
      try {
        await caches.trees.remove(join(root, name));
        return true;
      } catch (error) {
        if (isErrorKind(error, 'Conflict')) return false;
        throw error;
      } finally {
        await lock.close();
      }
    },
  };
}

interface Opening {
  readonly name: string;
  readonly sharing: 'shared' | 'locked';
  readonly signal: AbortSignal;
}

/** One that is not settled is filled by one step alone, whatever its sharing. */
async function openCommon(
  caches: CacheMountOptions,
  { name, sharing, signal }: Opening,
): Promise<CacheMountPlace> {
  const settledLock = sharing === 'locked' ? 'exclusive' : 'shared';
  for (;;) {
    const kind = (await isSettled(caches, name)) ? settledLock : 'exclusive';
    const lock = await tryLock(caches, name, kind);
    if (lock && (kind === 'exclusive' || (await isSettled(caches, name))))
      return openLocked(caches, { name, lock, settledLock });
    await lock?.close();
    try {
      await sleep(POLL_MS, undefined, { signal });
    } catch (cause) {
      throw new EngineError('Cancelled', 'Build cancelled', { cause });
    }
  }
}

interface Locked {
  readonly name: string;
  readonly lock: FileHandle;
  /** The lock that is kept once the cache is settled. */
  readonly settledLock: LockKind;
}

async function openLocked(
  caches: CacheMountOptions,
  { name, lock, settledLock }: Locked,
): Promise<CacheMountPlace> {
  const directory = join(caches.root, name);
  const path = join(directory, DATA);
  try {
    const isNew = !(await isSettled(caches, name));
    if (isNew) {
      // What a killed berth had begun to fill is begun anew.
      await caches.trees.remove(path);
      await mkdir(path, { mode: 0o755 });
    } else caches.libc.flock(lock.fd, settledLock);
    await lock.utimes(new Date(), new Date());
    return {
      directory,
      path,
      isNew,
      async settle(description) {
        await writeFile(join(directory, SETTLED), description, { mode: 0o600 });
        caches.libc.flock(lock.fd, settledLock);
      },
      release: () => lock.close(),
    };
  } catch (error) {
    await lock.close();
    throw error;
  }
}

async function openOwn({ privateRoot, trees }: CacheMountOptions): Promise<CacheMountPlace> {
  const directory = join(privateRoot, `build-${createRandomId()}`);
  const path = join(directory, DATA);
  await mkdir(path, { recursive: true, mode: 0o700 });
  return {
    directory,
    path,
    isNew: true,
    settle: () => Promise.resolve(),
    release: () => trees.remove(directory),
  };
}

/** The lock, by the kernel, which gives it back when the process dies; undefined where another has it. */
async function tryLock(
  { root, libc }: CacheMountOptions,
  name: string,
  kind: LockKind,
): Promise<FileHandle | undefined> {
  const path = join(root, name, LOCK);
  await mkdir(join(root, name), { recursive: true, mode: 0o700 });
  const file = await open(path, 'a', 0o600).catch(() => undefined);
  if (!file) return undefined;
  try {
    // Removed meanwhile: then it is the lock of nothing.
    if (libc.flock(file.fd, kind) && (await isSame(file, path))) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return undefined;
}

async function isSame(file: FileHandle, path: string): Promise<boolean> {
  const [held, named] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return held.ino === named?.ino;
}

async function isSettled({ root }: CacheMountOptions, name: string): Promise<boolean> {
  return (await readSettled({ root }, name)) !== undefined;
}

async function readSettled(
  { root }: Pick<CacheMountOptions, 'root'>,
  name: string,
): Promise<string | undefined> {
  return readFile(join(root, name, SETTLED), 'utf8').catch(() => undefined);
}

async function describe(caches: CacheMountOptions, name: string): Promise<readonly CacheMountRecord[]> {
  const { root } = caches;
  const description = await readSettled(caches, name);
  const used = await stat(join(root, name, LOCK)).catch(() => undefined);
  const made = await stat(join(root, name, SETTLED)).catch(() => undefined);
  if (description === undefined || !used || !made) return [];
  const record = { name, description, createdAtMs: made.mtimeMs, lastUsedMs: used.mtimeMs };
  const lock = await tryLock(caches, name, 'exclusive');
  if (!lock) return [{ ...record, sizeBytes: 0, isInUse: true }];
  try {
    return [{ ...record, sizeBytes: await caches.trees.measure(join(root, name, DATA)), isInUse: false }];
  } finally {
    await lock.close();
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => NAME.test(name));
  } catch {
    // Made with the first cache.
    return [];
  }
}
