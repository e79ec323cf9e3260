import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
  type BigIntStats,
} from 'node:fs';

import { EngineError } from '../errors.ts';
import { createTurns } from '../lib/turns.ts';
import { isErrno } from './errors.ts';
import type { Libc } from './types.ts';

/**
 * Trees below directories of berth's own that programs of containers have written, and may still be at work in. Each
 * step is one name in a held directory, so nothing that is renamed or linked meanwhile leads out; and one descriptor is
 * held at a time, so a tree may be as deep as it likes, deeper than a path can say.
 */
export interface OwnTrees {
  /** Bytes of all files below a directory; what goes meanwhile, or is not there, counts nothing. */
  measure(path: string): Promise<number>;
  /**
   * Removes a file or a directory with all below it; nothing where it is not there. Conflict where something is mounted
   * in it, or where others put files into it all the time.
   */
  remove(path: string): Promise<void>;
}

const PATH_ONLY = 0o10000000;
const MAX_ATTEMPTS = 5;
const SLASH = Buffer.from('/');

/** Walks with the calls of the kernel that resolve one name and no link. */
export function createOwnTrees(libc: Pick<Libc, 'openat2'>): OwnTrees {
  return {
    async measure(path) {
      let sizeBytes = 0;
      await walk(libc, path, {
        visitFile(file) {
          sizeBytes += lstatSync(file, { throwIfNoEntry: false })?.size ?? 0;
        },
      });
      return sizeBytes;
    },
    async remove(path) {
      const visitor: Visitor = {
        visitFile: ignoring(unlinkSync, 'ENOENT', 'EISDIR', 'EPERM'),
        leaveDirectory: ignoring(rmdirSync, 'ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EBUSY'),
      };
      for (let attempt = 1; ; attempt += 1) {
        await walk(libc, path, visitor);
        try {
          removeOne(path);
          return;
        } catch (error) {
          if (!isErrno(error, 'ENOTEMPTY')) throw error;
          if (attempt === MAX_ATTEMPTS)
            throw new EngineError('Conflict', 'the directory is still in use', { cause: error });
        }
      }
    },
  };
}

function removeOne(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    if (!isErrno(error, 'ENOTDIR')) throw error;
    ignoring(unlinkSync, 'ENOENT')(path);
  }
}

function ignoring<T>(call: (path: T) => void, ...codes: readonly string[]): (path: T) => void {
  return (path) => {
    try {
      call(path);
    } catch (error) {
      if (!isErrno(error, ...codes)) throw error;
    }
  };
}

interface Visitor {
  readonly visitFile: (path: Buffer) => void;
  /** After all that is in it. */
  readonly leaveDirectory?: (path: Buffer) => void;
}

interface Level {
  readonly name: Buffer;
  readonly stats: BigIntStats;
  /** Directories in it that were not visited yet. */
  readonly pending: Buffer[];
}

/** Visits all that is below a directory, and not the directory. Ends early where directories are moved meanwhile. */
async function walk(libc: Pick<Libc, 'openat2'>, path: string, visitor: Visitor): Promise<void> {
  const takeTurn = createTurns();
  let held = openName(libc, AT_FDCWD, path);
  if (held === undefined) return;
  const enter = async (fd: number, name: Buffer): Promise<Level> => {
    const pending: Buffer[] = [];
    for (const entry of listEntries(fd)) {
      await takeTurn();
      if (entry.isDirectory()) pending.push(entry.name);
      else visitor.visitFile(nameIn(fd, entry.name));
    }
    return { name, stats: fstatSync(fd, { bigint: true }), pending };
  };
  const hold = (fd: number): void => {
    if (held !== undefined) closeSync(held);
    held = fd;
  };
  try {
    const levels = [await enter(held, Buffer.from(path))];
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      await takeTurn();
      const name = level.pending.pop();
      const below = name && openName(libc, held, name);
      if (name && below !== undefined) {
        hold(below);
        levels.push(await enter(below, name));
      } else if (!name) {
        levels.pop();
        const above = levels.at(-1);
        if (!above) return;
        hold(libc.openat2(held, '..', { flags: PATH_ONLY | constants.O_DIRECTORY, resolve: ['NO_XDEV'] }));
        if (!isSame(fstatSync(held, { bigint: true }), above.stats)) return;
        visitor.leaveDirectory?.(nameIn(held, level.name));
      }
    }
  } finally {
    closeSync(held);
  }
}

/** Undefined for what is no directory (any more), and for what something is mounted at. */
function openName(
  libc: Pick<Libc, 'openat2'>,
  directoryFd: number,
  name: string | Buffer,
): number | undefined {
  const flags = PATH_ONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  try {
    // What leads to the top is berth's own; below it names are single ones.
    const isTop = directoryFd === AT_FDCWD;
    return libc.openat2(directoryFd, name, { flags, resolve: isTop ? [] : ['BENEATH', 'NO_XDEV'] });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV')) return undefined;
    throw error;
  }
}

const AT_FDCWD = -100;

function listEntries(fd: number): { readonly name: Buffer; isDirectory(): boolean }[] {
  try {
    return readdirSync(`/proc/self/fd/${String(fd)}`, { encoding: 'buffer', withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function nameIn(fd: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${String(fd)}`), SLASH, name]);
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}
