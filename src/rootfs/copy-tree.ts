import { constants, type BigIntStats } from 'node:fs';

import { EngineError } from '../errors.ts';
import { isErrno } from '../host/errors.ts';
import type { Libc } from '../host/types.ts';
import type { FileCalls } from './file-calls.ts';
import { splitPath, type Contained, type ContainedFile } from './contained.ts';
import { removeTree } from './remove-tree.ts';
import type { CopyFiles } from './types-build.ts';
import { walkTree } from './walk-tree.ts';
import { writeAll } from './write-entry.ts';

const pathOnly = 0o10000000;
const permissionBits = 0o7777n;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const chunkBytes = 256 * 1024;
const statBlockBytes = 512n;
const zeros = Buffer.alloc(chunkBytes);

interface Copying extends CopyFiles {
  readonly libc: Libc;
  readonly source: Contained;
  readonly target: Contained;
  /** One for all files: what is in it is written before it is used again. */
  readonly buffer: Buffer;
  /** First copy of each file that has several names: in the held top, by its path from there. */
  readonly firstNames: Map<string, Buffer>;
  /** Directories whose times are set when everything is in them, by their paths from the top. */
  readonly directoryTimes: { readonly path: Buffer; readonly stats: BigIntStats }[];
}

interface Place {
  readonly top: ContainedFile;
  readonly parent: ContainedFile;
  readonly name: Buffer;
  /** From the top. */
  readonly path: Buffer;
  readonly heldPath: Buffer;
}

/** Copies a file, or what is in a directory, keeping times; see BuildFiles.copy. */
export async function copyTree(
  tools: Pick<Copying, 'libc' | 'source' | 'target'>,
  files: CopyFiles,
): Promise<void> {
  const copying: Copying = {
    ...tools,
    ...files,
    buffer: Buffer.allocUnsafeSlow(chunkBytes),
    firstNames: new Map(),
    directoryTimes: [],
  };
  const { directory, name } = splitPath(files.from.path);
  const parent = await tools.source.openDirectory(directory);
  try {
    const heldPath = Buffer.from(name === '' ? `${parent.path}/.` : `${parent.path}/${name}`);
    const stats = await tools.source.calls.lstat(heldPath);
    if (stats.isDirectory()) await copyDirectory(copying);
    else await copySingle(copying, heldPath, stats);
  } finally {
    parent.close();
  }
}

async function copySingle(copying: Copying, from: Buffer, stats: BigIntStats): Promise<void> {
  const { directory, name } = splitPath(copying.to.path);
  const parent = await copying.target.openDirectory(directory);
  try {
    const bytes = Buffer.from(name);
    const heldPath = Buffer.concat([Buffer.from(`${parent.path}/`), bytes]);
    await copyEntry(copying, { from, stats }, { top: parent, parent, name: bytes, path: bytes, heldPath });
  } finally {
    parent.close();
  }
}

async function copyDirectory(copying: Copying): Promise<void> {
  const from = await copying.source.openDirectory(copying.from.path);
  const top = await openTop(copying);
  let held: { readonly below: Buffer; readonly file: ContainedFile } | undefined;
  try {
    for await (const { path, name, below, heldPath, stats } of walkTree(copying.source, from, copying)) {
      if (!held?.below.equals(below)) {
        if (held && held.file !== top) held.file.close();
        held = {
          below,
          file: below.length === 0 ? top : await copying.target.openBelow(top, below),
        };
      }
      const parent = held.file;
      const target = Buffer.concat([Buffer.from(`${parent.path}/`), name]);
      await copyEntry(copying, { from: heldPath, stats }, { top, parent, name, path, heldPath: target });
    }
    if (held && held.file !== top) held.file.close();
    held = undefined;
    await setDirectoryTimes(copying, top);
  } finally {
    if (held && held.file !== top) held.file.close();
    top.close();
    from.close();
  }
}

async function openTop({ target, to }: Copying): Promise<ContainedFile> {
  return target.openDirectory(to.path);
}

interface Source {
  readonly from: Buffer;
  readonly stats: BigIntStats;
}

async function copyEntry(copying: Copying, source: Source, place: Place): Promise<void> {
  const { stats } = source;
  const { calls } = copying.target;
  if (stats.isSocket()) return;
  const isThere = await makeRoom(copying, place, stats.isDirectory());
  if (stats.isDirectory()) {
    if (!isThere) await calls.mkdir(place.heldPath);
    await setFactsOf(copying, place, stats);
    copying.directoryTimes.push({ path: place.path, stats });
  } else if (stats.isSymbolicLink()) {
    await calls.symlink(await copying.source.calls.readlink(source.from), place.heldPath);
    await calls.lchown(place.heldPath, ...ownerOf(copying, stats));
    await calls.lutimes(place.heldPath, ...timesOf(stats));
  } else if (stats.isFile()) await copyRegular(copying, source, place);
  else await copyNode(copying, stats, place);
}

/** True where a directory is there that a directory may join. */
async function makeRoom(copying: Copying, place: Place, isDirectory: boolean): Promise<boolean> {
  try {
    const existing = await copying.target.calls.lstat(place.heldPath);
    if (existing.isDirectory() && isDirectory) return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
  await removeTree(copying.target, place.parent, place.name);
  return false;
}

async function copyRegular(copying: Copying, source: Source, place: Place): Promise<void> {
  const { stats } = source;
  const key = `${stats.dev}:${stats.ino}`;
  const first = stats.nlink > 1n ? copying.firstNames.get(key) : undefined;
  if (first && (await linkTo(copying, first, place))) return;
  if (stats.nlink > 1n) copying.firstNames.set(key, place.path);
  const from = await openRegular(copying.source.calls, source.from);
  const { calls } = copying.target;
  try {
    const to = await calls.open(place.heldPath, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await copyBytes(copying, { from, to, stats });
      const capabilities = copying.owner ? undefined : copying.source.readCapabilities(from);
      await setFacts(copying, to, stats);
      if (capabilities) copying.target.writeCapabilities(to, capabilities);
    } finally {
      await calls.close(to);
    }
  } finally {
    await copying.source.calls.close(from);
  }
}

async function openRegular(calls: FileCalls, path: Buffer): Promise<number> {
  const file = await calls.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if ((await calls.fstat(file)).isFile()) return file;
  await calls.close(file);
  throw new EngineError('Conflict', 'a file was replaced while it was copied');
}

interface OpenFiles {
  readonly from: number;
  readonly to: number;
  readonly stats: BigIntStats;
}

/** What takes no room in a file with holes takes none in its copy. */
async function copyBytes({ buffer, source, target }: Copying, { from, to, stats }: OpenFiles): Promise<void> {
  const hasHoles = stats.blocks * statBlockBytes < stats.size;
  const { calls } = target;
  let at = 0;
  for (;;) {
    const readBytes = await source.calls.read(from, buffer, null);
    if (readBytes === 0) break;
    const bytes = buffer.subarray(0, readBytes);
    const isHole = hasHoles && bytes.equals(zeros.subarray(0, readBytes));
    if (!isHole) await writeAll(calls, { fd: to, position: at }, bytes);
    at += readBytes;
    await calls.yieldTurn();
  }
  if (hasHoles) await calls.ftruncate(to, at);
}

async function linkTo(copying: Copying, first: Buffer, place: Place): Promise<boolean> {
  const at = first.lastIndexOf('/') + 1;
  const below = first.subarray(0, at);
  const parent = at === 0 ? place.top : await copying.target.openBelow(place.top, below);
  try {
    await copying.target.calls.link(
      Buffer.concat([Buffer.from(`${parent.path}/`), first.subarray(at)]),
      place.heldPath,
    );
    return true;
  } catch (error) {
    // Replaced by a later source of the same copy: then it is a file of its own.
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  } finally {
    if (at !== 0) parent.close();
  }
}

async function copyNode(copying: Copying, stats: BigIntStats, place: Place): Promise<void> {
  const device = Number(stats.rdev);
  await copying.libc.mknod({
    path: place.heldPath.toString(),
    mode: (Number(stats.mode) & 0o170000) | 0o600,
    major: (device >>> 8) & 0xfff,
    minor: (device & 0xff) | ((device >>> 12) & 0xfff00),
  });
  await setFactsOf(copying, place, stats);
}

// Through a descriptor that names exactly this file: chmod has no way of its own not to follow a link.
async function setFactsOf(copying: Copying, { heldPath }: Place, stats: BigIntStats): Promise<void> {
  const { calls } = copying.target;
  const named = await calls.open(heldPath, pathOnly | O_NOFOLLOW);
  try {
    await setFacts(copying, named, stats);
  } finally {
    await calls.close(named);
  }
}

async function setFacts(copying: Copying, fd: number, stats: BigIntStats): Promise<void> {
  const { calls } = copying.target;
  const path = `/proc/self/fd/${fd}`;
  // As in dockerd, a file that is given another owner loses setuid and setgid, unless its mode is given too.
  await calls.chmod(path, Number(stats.mode & permissionBits));
  await calls.chown(path, ...ownerOf(copying, stats));
  const own = Number(stats.mode & permissionBits);
  const mode = copying.mode?.(own, stats.isDirectory()) ?? (copying.owner ? undefined : own);
  if (mode !== undefined) await calls.chmod(path, mode);
  await calls.utimes(path, ...timesOf(stats));
}

async function setDirectoryTimes(copying: Copying, top: ContainedFile): Promise<void> {
  for (const { path, stats } of copying.directoryTimes.reverse()) {
    const directory = await copying.target.openBelow(top, path);
    try {
      await copying.target.calls.utimes(directory.path, ...timesOf(stats));
    } finally {
      directory.close();
    }
  }
}

function ownerOf({ owner }: Copying, stats: BigIntStats): [uid: number, gid: number] {
  return owner ? [owner.uid, owner.gid] : [Number(stats.uid), Number(stats.gid)];
}

function timesOf({ mtimeNs }: BigIntStats): [atime: number, mtime: number] {
  const seconds = Number(mtimeNs) / 1e9;
  return [seconds, seconds];
}
