import type { BigIntStats, Dirent } from 'node:fs';
import { Readable } from 'node:stream';

import { isErrno } from '../host/errors.ts';
import { pathError, type Contained, type ContainedFile } from './contained.ts';
import { chunkBytes, packEntry, type Walk } from './read-archive.ts';
import { hasSameOwner, leadsToMount, type ChangeOptions, type ChangeViews } from './read-changes.ts';
import { encodeTarHeader, tarEnd } from '../lib/tar-header.ts';

const slash = Buffer.from('/');
const whiteoutPrefix = Buffer.from('.wh.');

type Bytes = AsyncGenerator<Buffer, void, undefined>;

/**
 * Packs what was changed as a layer of the image format. Only directories that were written to are read; contents are
 * taken from the merged view, for the upper one may lack them (a directory renamed by reference, a file whose owner alone
 * was changed).
 */
export function packChanges(views: ChangeViews, options: ChangeOptions): Readable {
  return Readable.from(packAll(views, options), { objectMode: false, highWaterMark: chunkBytes });
}

async function* packAll(views: ChangeViews, options: ChangeOptions): Bytes {
  const { signal, latestSeconds } = options;
  const walk = { contained: views.merged, signal, latestSeconds, firstNames: new Map<string, Buffer>() };
  const packing = { views, walk, mountPoints: options.mountPoints };
  try {
    yield* packLevel(packing, { path: Buffer.alloc(0), isNew: views.lower === undefined });
    yield tarEnd;
  } catch (error) {
    throw pathError(error, '/');
  }
}

interface Packing {
  readonly views: ChangeViews;
  readonly walk: Walk;
  readonly mountPoints: ReadonlySet<string>;
}

interface Level {
  /** From the root, empty or with a slash at its end. */
  readonly path: Buffer;
  /** True below what the image does not have. */
  readonly isNew: boolean;
}

interface ChangedDirectory extends Level {
  readonly header: readonly Buffer[];
  /** True where the directory itself is as it was: it is packed only if something in it is. */
  readonly isQuiet: boolean;
}

// A directory that is being read is not held open while those in it are: a deep tree would use up all descriptors.
async function* packLevel(packing: Packing, level: Level): Bytes {
  const directory = await openIfThere(packing.views.merged, level.path);
  if (!directory) return;
  const directories: ChangedDirectory[] = [];
  try {
    const entries = await packing.walk.contained.calls.readEntries(directory.path);
    const { changed, removed, before } = await compareNames(packing, level, entries);
    for (const name of removed) yield whiteout(Buffer.concat([level.path, whiteoutPrefix, name]));
    for (const entry of changed) {
      const path = Buffer.concat([level.path, entry.name]);
      const isKnown = before.has(keyOf(entry.name));
      if (entry.isDirectory())
        directories.push(await describeDirectory(packing, { directory, path, name: entry.name, isKnown }));
      else if (isKnown || !(await isMadeForMount(packing, directory, { path, name: entry.name })))
        yield* packEntry(packing.walk, { directory, name: entry.name }, path);
    }
  } finally {
    directory.close();
  }
  for (const changed of directories) yield* packDirectory(packing, changed);
}

async function* packDirectory(packing: Packing, changed: ChangedDirectory): Bytes {
  const children = packLevel(packing, changed);
  const first = changed.isQuiet ? await children.next() : undefined;
  if (first?.done === true) return;
  yield* changed.header;
  if (first) yield first.value;
  yield* children;
}

interface Compared {
  readonly changed: readonly Dirent<Buffer>[];
  readonly removed: readonly Buffer[];
  /** Names that the image has in this directory. */
  readonly before: ReadonlySet<string>;
}

async function compareNames(
  { views }: Packing,
  { path, isNew }: Level,
  entries: readonly Dirent<Buffer>[],
): Promise<Compared> {
  const sorted = [...entries].sort((a, b) => Buffer.compare(a.name, b.name));
  if (isNew) return { changed: sorted, removed: [], before: new Set() };
  const [upper, lower] = await Promise.all([namesIn(views.upper, path), namesIn(views.lower, path)]);
  const now = new Set(entries.map(({ name }) => keyOf(name)));
  const before = new Set(lower.map(keyOf));
  const written = new Set(upper.map(keyOf));
  return {
    changed: sorted.filter(({ name }) => written.has(keyOf(name))),
    removed: lower.filter((name) => !now.has(keyOf(name))).sort((a, b) => Buffer.compare(a, b)),
    before,
  };
}

interface Found {
  readonly directory: ContainedFile;
  readonly name: Buffer;
  readonly path: Buffer;
  readonly isKnown: boolean;
}

async function describeDirectory(packing: Packing, found: Found): Promise<ChangedDirectory> {
  const { directory, name, path } = found;
  const header: Buffer[] = [];
  for await (const bytes of packEntry(packing.walk, { directory, name }, path)) header.push(bytes);
  const [now, before] = await Promise.all([
    statBelow(packing.views.merged, directory, name),
    found.isKnown ? statIn(packing.views.lower, path) : undefined,
  ]);
  const old = before?.isDirectory() === true ? before : undefined;
  const isForMount = leadsToMount(`/${path.toString()}`, packing.mountPoints);
  return {
    path: Buffer.concat([path, slash]),
    header,
    isNew: old === undefined,
    isQuiet: old && now ? isUnchanged(now, old, isForMount) : isForMount && !found.isKnown,
  };
}

// The runtime makes its mount points in a directory and so changes its time.
function isUnchanged(now: BigIntStats, before: BigIntStats, isForMount: boolean): boolean {
  return hasSameOwner(now, before) && (isForMount || now.mtimeNs === before.mtimeNs);
}

async function isMadeForMount(
  { mountPoints, views }: Packing,
  directory: ContainedFile,
  { path, name }: { readonly path: Buffer; readonly name: Buffer },
): Promise<boolean> {
  if (!leadsToMount(`/${path.toString()}`, mountPoints)) return false;
  return (await statBelow(views.merged, directory, name))?.size === 0n;
}

function whiteout(name: Buffer): Buffer {
  return encodeTarHeader({
    name,
    type: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtimeSeconds: 0,
  });
}

/** A name as a key: every byte is one character, so that no two names are the same. */
function keyOf(name: Buffer): string {
  return name.toString('latin1');
}

async function namesIn(view: Contained | undefined, path: Buffer): Promise<readonly Buffer[]> {
  const directory = view && (await openIfThere(view, path));
  if (!directory) return [];
  try {
    return await view.calls.readdir(directory.path);
  } finally {
    directory.close();
  }
}

async function statIn(view: Contained | undefined, path: Buffer): Promise<BigIntStats | undefined> {
  const at = path.lastIndexOf(slash) + 1;
  const directory = view && (await openIfThere(view, path.subarray(0, at)));
  if (!directory) return undefined;
  try {
    return await statBelow(view, directory, path.subarray(at));
  } finally {
    directory.close();
  }
}

async function statBelow(
  { calls }: Contained,
  directory: ContainedFile,
  name: Buffer,
): Promise<BigIntStats | undefined> {
  try {
    return await calls.lstat(Buffer.concat([Buffer.from(`${directory.path}/`), name]));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The directory, no link on the way to it followed; undefined where there is none (any more). */
async function openIfThere(view: Contained, path: Buffer): Promise<ContainedFile | undefined> {
  const root = await view.openDirectory('/');
  if (path.length === 0) return root;
  try {
    return await view.openBelow(root, path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  } finally {
    root.close();
  }
}
