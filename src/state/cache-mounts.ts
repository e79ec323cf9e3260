import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { EngineError } from '../errors.ts';
import { createDeferred } from '../lib/deferred.ts';
import { createKeyedLock, type KeyedLock } from '../lib/keyed-lock.ts';
import { createRandomId } from '../lib/random-id.ts';

/** A directory that a build step has as its cache. */
export interface CacheMountPlace {
  /** Holds `path` and nothing else. */
  readonly directory: string;
  readonly path: string;
  /** True where it was made just now: nothing is in it. */
  readonly isNew: boolean;
  release(): Promise<void>;
}

/** How a cache is shared with steps that run at the same time. */
export type CacheSharing = 'shared' | 'private' | 'locked';

/** Directories that steps of builds share with later ones. */
export interface CacheMounts {
  /**
   * Opens the cache of this name (64 hex digits): `shared` with others at the same time, `locked` after them, or `private`:
   * a directory of its own where another step has it. Cancelled with the signal.
   */
  open(name: string, sharing: CacheSharing, signal: AbortSignal): Promise<CacheMountPlace>;
  /** Removes those that no step has. */
  clear(): Promise<void>;
}

const DATA = 'data';
const NAME = /^[0-9a-f]{64}$/;

/** Makes the caches below a directory of berth's own; that is made with the first one. */
export function createCacheMounts(root: string): CacheMounts {
  const users = new Map<string, number>();
  const turns = createKeyedLock();
  const change = (name: string, by: number): void => {
    users.set(name, (users.get(name) ?? 0) + by);
  };
  const openShared = async (name: string, endTurn: () => void): Promise<CacheMountPlace> => {
    const directory = join(root, name);
    change(name, 1);
    const release = async (): Promise<void> => {
      change(name, -1);
      endTurn();
      await Promise.resolve();
    };
    try {
      return { ...(await makePlace(directory)), release };
    } catch (error) {
      await release();
      throw error;
    }
  };
  const openOwn = async (): Promise<CacheMountPlace> => {
    const directory = join(root, `private-${createRandomId()}`);
    const release = (): Promise<void> => rm(directory, { recursive: true, force: true });
    return { ...(await makePlace(directory)), release };
  };
  return {
    async open(name, sharing, signal) {
      if (!NAME.test(name)) throw new EngineError('Internal', 'a cache is named by a digest');
      if (sharing === 'private' && (users.get(name) ?? 0) > 0) return openOwn();
      return openShared(name, sharing === 'locked' ? await takeTurn(turns, name, signal) : () => undefined);
    },
    async clear() {
      for (const name of await namesIn(root))
        if ((users.get(name) ?? 0) === 0) await rm(join(root, name), { recursive: true, force: true });
    },
  };
}

async function makePlace(directory: string): Promise<Omit<CacheMountPlace, 'release'>> {
  const path = join(directory, DATA);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const made = await mkdir(path, { recursive: true, mode: 0o755 });
  return { directory, path, isNew: made !== undefined };
}

/** Waits until nobody else has the turn; answers its end. */
async function takeTurn(turns: KeyedLock, name: string, signal: AbortSignal): Promise<() => void> {
  const begun = createDeferred<undefined>();
  const ended = createDeferred<undefined>();
  const end = (): void => {
    ended.resolve(undefined);
  };
  const abort = (): void => {
    end();
    begun.reject(new EngineError('Cancelled', 'Build cancelled'));
  };
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  void turns.run(name, () => {
    begun.resolve(undefined);
    return ended.promise;
  });
  try {
    await begun.promise;
    return end;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch {
    // Made with the first cache.
    return [];
  }
}
