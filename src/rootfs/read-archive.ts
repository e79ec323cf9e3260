import { constants, type BigIntStats } from 'node:fs';
import { posix } from 'node:path';
import { Readable } from 'node:stream';

import { EngineError } from '../errors.ts';
import { isErrno } from '../host/errors.ts';
import { pathError, splitPath, type Contained, type ContainedFile } from './contained.ts';
import type { FileCalls } from './file-calls.ts';
import { encodeTarHeader, tarEnd, tarPadding, type TarEntry } from '../lib/tar-header.ts';

/** Size of the pieces that files are read in. */
export const chunkBytes = 256 * 1024;
const pathOnly = 0o10000000;
const slash = Buffer.from('/');

type Bytes = AsyncGenerator<Buffer, void, undefined>;

/** One tar under way. */
export interface Walk {
  readonly contained: Contained;
  readonly signal: AbortSignal;
  /** What the root is called, where it has a name. */
  readonly rootName?: string | undefined;
  /** Seconds since 1970 that no time is later than. */
  readonly latestSeconds?: number | undefined;
  /** First name of each file that has several. */
  readonly firstNames: Map<string, Buffer>;
}

/** Packs what a normalized path names; the stream fails where a file cannot be read to the size its header gave. */
export function packPath(
  contained: Contained,
  path: string,
  options: { readonly signal: AbortSignal; readonly rootName?: string | undefined },
): Readable {
  const bytes = packAll({ contained, firstNames: new Map(), ...options }, path);
  return Readable.from(bytes, { objectMode: false, highWaterMark: chunkBytes });
}

/** Packs everything below the root, by names without a slash at the beginning. */
export function packTree(contained: Contained, signal: AbortSignal): Readable {
  const bytes = packRoot({ contained, signal, firstNames: new Map() });
  return Readable.from(bytes, { objectMode: false, highWaterMark: chunkBytes });
}

async function* packRoot(walk: Walk): Bytes {
  const directory = await walk.contained.openDirectory('/');
  try {
    yield* packChildren(walk, { directory, top: Buffer.alloc(0), below: Buffer.alloc(0) });
    yield tarEnd;
  } catch (error) {
    throw pathError(error, '/');
  } finally {
    directory.close();
  }
}

async function* packAll(walk: Walk, path: string): Bytes {
  try {
    const { parent } = await walk.contained.openParent(path);
    try {
      const name = splitPath(path).name;
      const top = await openAsDirectory(walk, parent, name);
      if (top) yield* packTop(walk, top, path);
      else yield* packEntry(walk, { directory: parent, name: Buffer.from(name) }, Buffer.from(name));
    } finally {
      parent.close();
    }
    yield tarEnd;
  } catch (error) {
    throw pathError(error, path);
  }
}

// The name itself, if it is a directory: a link is an entry of its own, as is everything else.
async function openAsDirectory(
  walk: Walk,
  parent: ContainedFile,
  name: string,
): Promise<ContainedFile | undefined> {
  try {
    return await walk.contained.openBelow(parent, name === '' ? '.' : name);
  } catch (error) {
    if (isErrno(error, 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

// The top is called as it was asked for: "dir" for dir, "." for dir/., and nothing for a root without a name.
async function* packTop(walk: Walk, directory: ContainedFile, path: string): Bytes {
  try {
    const top = Buffer.from(`${path === '/' ? (walk.rootName ?? '') : posix.basename(path)}/`);
    const stats = await statDirectory(walk.contained.calls, directory);
    yield encodeTarHeader({ ...factsOf(stats), name: top, type: 'directory' });
    yield* packChildren(walk, { directory, top, below: Buffer.alloc(0) });
  } finally {
    directory.close();
  }
}

interface Level {
  readonly directory: ContainedFile;
  readonly top: Buffer;
  /** Path from the top, empty or with a slash at its end. */
  readonly below: Buffer;
}

// One descriptor per level would be the container's to multiply: each directory is opened anew from the top, without links.
async function* packChildren(walk: Walk, { directory, top, below }: Level): Bytes {
  const isTop = below.length === 0;
  const current = isTop ? directory : await openIfThere(walk, directory, below);
  if (!current) return;
  const directories: Buffer[] = [];
  try {
    const names = await walk.contained.calls.readdir(current.path);
    for (const name of names.sort((a, b) => Buffer.compare(a, b))) {
      const isDirectory = yield* packEntry(
        walk,
        { directory: current, name },
        Buffer.concat([top, below, name]),
      );
      if (isDirectory) directories.push(name);
    }
  } finally {
    if (!isTop) current.close();
  }
  for (const name of directories) {
    yield* packChildren(walk, { directory, top, below: Buffer.concat([below, name, slash]) });
  }
}

async function openIfThere(
  walk: Walk,
  top: ContainedFile,
  below: Buffer,
): Promise<ContainedFile | undefined> {
  try {
    return await walk.contained.openBelow(top, below);
  } catch (error) {
    // Removed, or replaced by a link, since it was listed.
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

/** A name in a held directory. */
export interface Child {
  readonly directory: ContainedFile;
  readonly name: Buffer;
}

/** Packs one entry and answers whether it is a directory, whose children the caller packs. */
export async function* packEntry(
  walk: Walk,
  child: Child,
  name: Buffer,
): AsyncGenerator<Buffer, boolean, undefined> {
  if (walk.signal.aborted) throw new EngineError('Cancelled', 'the copy was cancelled');
  const { calls } = walk.contained;
  await calls.yieldTurn();
  const path = Buffer.concat([Buffer.from(`${child.directory.path}/`), child.name]);
  const named = await nameFile(calls, path);
  if (named === undefined) return false;
  try {
    const stats = await calls.fstat(named);
    const facts = factsOf(stats, walk.latestSeconds);
    if (stats.isFile()) yield* packFile(walk, { named, stats }, { ...facts, name, type: 'file' });
    else if (stats.isDirectory()) {
      yield encodeTarHeader({ ...facts, name: Buffer.concat([name, slash]), type: 'directory' });
    } else if (stats.isSymbolicLink()) {
      const linkName = await calls.readlink(path);
      yield encodeTarHeader({ ...facts, name, type: 'symlink', linkName });
    } else if (stats.isFIFO()) yield encodeTarHeader({ ...facts, name, type: 'fifo' });
    else if (stats.isCharacterDevice()) yield encodeTarHeader({ ...facts, name, type: 'character-device' });
    else if (stats.isBlockDevice()) yield encodeTarHeader({ ...facts, name, type: 'block-device' });
    return stats.isDirectory();
  } finally {
    await calls.close(named);
  }
}

// Only named: a FIFO is not waited for, and no device is opened.
async function nameFile(calls: FileCalls, path: Buffer): Promise<number | undefined> {
  try {
    return await calls.open(path, pathOnly | constants.O_NOFOLLOW);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

// Exactly the bytes that the header promises, whatever happens to the file meanwhile.
async function* packFile(
  walk: Walk,
  { named, stats }: { readonly named: number; readonly stats: BigIntStats },
  entry: TarEntry,
): Bytes {
  const { calls } = walk.contained;
  const key = `${stats.dev}:${stats.ino}`;
  const first = stats.nlink > 1n ? walk.firstNames.get(key) : undefined;
  if (first) {
    yield encodeTarHeader({ ...entry, type: 'link', linkName: first });
    return;
  }
  if (stats.nlink > 1n) walk.firstNames.set(key, entry.name);
  const sizeBytes = Number(stats.size);
  const file = await calls.open(`/proc/self/fd/${named}`, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const capabilities = walk.contained.readCapabilities(named);
    yield encodeTarHeader({ ...entry, sizeBytes, ...(capabilities ? { capabilities } : {}) });
    for (let sent = 0; sent < sizeBytes;) {
      if (walk.signal.aborted) throw new EngineError('Cancelled', 'the copy was cancelled');
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes - sent));
      const readBytes = await calls.read(file, buffer, sent);
      if (readBytes === 0)
        throw new EngineError('Internal', `${entry.name.toString()} shrank while it was copied`);
      sent += readBytes;
      yield buffer.subarray(0, readBytes);
      if (readBytes === chunkBytes) await calls.yieldTurn();
    }
  } finally {
    await calls.close(file);
  }
  const padding = tarPadding(sizeBytes);
  if (padding.length > 0) yield padding;
}

async function statDirectory(calls: FileCalls, directory: ContainedFile): Promise<BigIntStats> {
  const fd = await calls.open(directory.path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await calls.fstat(fd);
  } finally {
    await calls.close(fd);
  }
}

function factsOf(stats: BigIntStats, latestSeconds = Infinity): Omit<TarEntry, 'name' | 'type'> {
  const device = Number(stats.rdev);
  return {
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    sizeBytes: 0,
    mtimeSeconds: Math.min(Number(stats.mtimeNs / 1_000_000_000n), latestSeconds),
    major: (device >>> 8) & 0xfff,
    minor: (device & 0xff) | ((device >>> 12) & 0xfff00),
  };
}
