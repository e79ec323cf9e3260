import { constants, type BigIntStats } from 'node:fs';
import { posix } from 'node:path';

import type { Extract, Header } from 'tar-stream';

import { EngineError } from '../errors.ts';
import { isErrno } from '../host/errors.ts';
import { archiveError } from './archive-error.ts';
import type { ContainedFile } from './contained.ts';
import type { Awaitable, FileCalls } from './file-calls.ts';
import { removeTree } from './remove-tree.ts';
import type { WriteArchiveOptions } from './types.ts';
import type { ParentCache, UnpackTarget } from './parent-cache.ts';

const pathOnly = 0o10000000;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, S_IFBLK, S_IFCHR, S_IFIFO } = constants;

/** What the entries of one archive share. */
export interface Unpacking extends UnpackTarget {
  readonly options: WriteArchiveOptions;
  readonly openParent: ParentCache;
  /** Directories whose times (seconds) are set when everything is in them. */
  readonly directoryTimes: { readonly path: string; readonly mtime: number }[];
}

/** A header with the stream of its bytes. */
export type ExtractedEntry = Extract extends AsyncIterable<infer Entry> ? Entry : never;

interface Place {
  /** Absolute inside the root. */
  readonly path: string;
  readonly parent: ContainedFile;
  readonly name: string;
  /** The name in the held parent: nothing that is done to it may follow a link. */
  readonly entryPath: string;
}

/** Makes what one entry says. Links are only ever made and replaced, never followed. */
export async function writeEntry(unpacking: Unpacking, entry: ExtractedEntry): Promise<void> {
  const { header } = entry;
  const path = placeInside(unpacking.path, header.name);
  // The archive's "." is the directory it goes to, which is there and stays as it is.
  if (path === placeInside(unpacking.path, '.')) return;
  const parent = await unpacking.openParent(path);
  const name = posix.basename(path);
  const place = { path, parent, name, entryPath: `${parent.path}/${name}` };
  // A file is made where there is none: to look first would be one call more for each.
  const file = isFile(header) ? await createNew(unpacking, place) : undefined;
  if (file !== undefined) return fillFile(unpacking, file, entry);
  const isReplaced = await makeRoom(unpacking, place, header.type === 'directory');
  await create(unpacking, place, entry);
  if (isReplaced) unpacking.openParent.close();
}

function isFile({ type }: Header): boolean {
  return type === 'file' || type === 'contiguous-file';
}

// Lexically, as dockerd does: absolute names begin at the target, and a name that climbs out of it is refused.
function placeInside(target: string, name: string): string {
  if (name.includes('\0')) throw new EngineError('InvalidArgument', 'invalid name in the archive');
  const relative = posix.normalize(`./${name}`).replace(/\/+$/, '');
  if (relative === '..' || relative.startsWith('../')) {
    throw new EngineError(
      'InvalidArgument',
      `${JSON.stringify(name)} is outside of ${JSON.stringify(target)}`,
    );
  }
  return posix.resolve(target, relative === '' ? '.' : relative);
}

async function makeRoom(unpacking: Unpacking, place: Place, isDirectory: boolean): Promise<boolean> {
  const existing = await lstatIfThere(unpacking.contained.calls, place.entryPath);
  if (!existing || (existing.isDirectory() && isDirectory)) return false;
  if (unpacking.options.noOverwriteDirNonDir && existing.isDirectory() !== isDirectory) {
    const [old, fresh] = isDirectory ? ['non-directory', 'directory'] : ['directory', 'non-directory'];
    throw new EngineError(
      'InvalidArgument',
      `cannot overwrite ${old} "${place.path}" with ${fresh} "${unpacking.path}"`,
    );
  }
  try {
    await removeTree(unpacking.contained, place.parent, Buffer.from(place.name));
  } catch (error) {
    if (!isErrno(error, 'EBUSY')) throw error;
    const words = `unlinkat ${place.path}: device or resource busy`;
    throw new EngineError('Conflict', words, { cause: error });
  }
  return true;
}

async function lstatIfThere(calls: FileCalls, path: string): Promise<BigIntStats | undefined> {
  try {
    return await calls.lstat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function create(unpacking: Unpacking, place: Place, entry: ExtractedEntry): Promise<void> {
  const { header } = entry;
  const { calls } = unpacking.contained;
  switch (header.type) {
    case 'file':
    case 'contiguous-file':
      return fillFile(unpacking, await createFile(unpacking, place), entry);
    case 'directory':
      return createDirectory(unpacking, place, header);
    case 'link':
      return createHardLink(unpacking, place, header);
    case 'symlink':
      await calls.symlink(header.linkname, place.entryPath);
      await calls.lchown(place.entryPath, ...ownerOf(unpacking, header));
      return calls.lutimes(place.entryPath, timeOf(header), timeOf(header));
    case 'character-device':
      return createNode(unpacking, place, { header, type: S_IFCHR });
    case 'block-device':
      return createNode(unpacking, place, { header, type: S_IFBLK });
    case 'fifo':
      return createNode(unpacking, place, { header, type: S_IFIFO });
    default:
      throw new EngineError('InvalidArgument', `unhandled tar header type: ${String(header.type)}`);
  }
}

function createFile(unpacking: Unpacking, { entryPath }: Place): Awaitable<number> {
  return unpacking.contained.calls.open(entryPath, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

/** Undefined where there is something of the name. */
async function createNew(unpacking: Unpacking, place: Place): Promise<number | undefined> {
  try {
    return await createFile(unpacking, place);
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return undefined;
    throw error;
  }
}

/** Closes the file too. */
async function fillFile(unpacking: Unpacking, file: number, entry: ExtractedEntry): Promise<void> {
  const { calls } = unpacking.contained;
  try {
    for await (const chunk of bytesOf(entry)) await writeAll(calls, { fd: file }, chunk);
    // The owner first: a change of owner takes setuid and setgid away.
    await calls.fchown(file, ...ownerOf(unpacking, entry.header));
    await calls.fchmod(file, modeOf(entry.header));
    await calls.futimes(file, timeOf(entry.header), timeOf(entry.header));
  } finally {
    await calls.close(file);
  }
}

async function* bytesOf(entry: ExtractedEntry): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* entry as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw archiveError(error);
  }
}

/** Writes all bytes at a position, or where the descriptor stands. */
export async function writeAll(
  calls: FileCalls,
  to: { readonly fd: number; readonly position?: number },
  bytes: Uint8Array,
): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const at = to.position === undefined ? null : to.position + written;
    written += await calls.write(to.fd, bytes.subarray(written), at);
  }
}

async function createDirectory(unpacking: Unpacking, place: Place, header: Header): Promise<void> {
  try {
    await unpacking.contained.calls.mkdir(place.entryPath);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
  await setOwnerAndMode(unpacking, place, header);
  unpacking.directoryTimes.push({ path: place.path, mtime: timeOf(header) });
}

async function createNode(
  unpacking: Unpacking,
  place: Place,
  { header, type }: { readonly header: Header; readonly type: number },
): Promise<void> {
  const device = { major: header.devmajor, minor: header.devminor };
  await unpacking.libc.mknod({ path: place.entryPath, mode: type | 0o600, ...device });
  await setOwnerAndMode(unpacking, place, header);
  await unpacking.contained.calls.lutimes(place.entryPath, timeOf(header), timeOf(header));
}

// Through a descriptor that names exactly this file: chmod has no way of its own not to follow a link.
async function setOwnerAndMode(unpacking: Unpacking, { entryPath }: Place, header: Header): Promise<void> {
  const { calls } = unpacking.contained;
  const named = await calls.open(entryPath, pathOnly | O_NOFOLLOW);
  try {
    if ((await calls.fstat(named)).isSymbolicLink())
      throw new EngineError('Conflict', `${header.name} was replaced by a link`);
    await calls.chown(`/proc/self/fd/${named}`, ...ownerOf(unpacking, header));
    await calls.chmod(`/proc/self/fd/${named}`, modeOf(header));
  } finally {
    await calls.close(named);
  }
}

// The target is a name in the archive, so it too is placed below the directory that the archive goes to.
async function createHardLink(unpacking: Unpacking, place: Place, header: Header): Promise<void> {
  const target = await unpacking.contained.openParent(placeInside(unpacking.path, header.linkname));
  try {
    await unpacking.contained.calls.link(target.path, place.entryPath);
  } finally {
    target.parent.close();
  }
}

/** Sets the time of a directory made earlier; one that has been replaced meanwhile is left alone. */
export async function setTimes(unpacking: Unpacking, path: string, mtime: number): Promise<void> {
  try {
    const parent = await unpacking.openParent(path);
    await unpacking.contained.calls.lutimes(`${parent.path}/${posix.basename(path)}`, mtime, mtime);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
  }
}

function ownerOf({ options }: Unpacking, header: Header): [uid: number, gid: number] {
  if (!options.copyUidGid) return [options.owner?.uid ?? 0, options.owner?.gid ?? 0];
  return [header.uid, header.gid];
}

function modeOf(header: Header): number {
  return header.mode & 0o7777;
}

function timeOf(header: Header): number {
  return header.mtime.getTime() / 1000;
}
