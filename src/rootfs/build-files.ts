import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';

import { EngineError } from '../errors.ts';
import { decompress } from '../host/decompress.ts';
import { isErrno } from '../host/errors.ts';
import type { Libc } from '../host/types.ts';
import { createContained, normalizePath, pathError, resolveLinks, type Contained } from './contained.ts';
import { copyTree } from './copy-tree.ts';
import { hashTree } from './hash-tree.ts';
import { listFiles } from './list-files.ts';
import { removeIgnored } from './remove-ignored.ts';
import type { BuildFiles, FileOwner, FoundFile } from './types-build.ts';
import type { RootHandle } from './types.ts';
import { walkTree } from './walk-tree.ts';

const directoryMode = 0o755;
const tarBlockBytes = 512;
const checksumOffset = 148;
const checksumLength = 8;

/** Makes the access to the files of builds. */
export function createBuildFiles(libc: Libc): BuildFiles {
  const within = (root: RootHandle): Contained => createContained(libc, root);
  const inWords = async <T>(path: string, action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (error) {
      throw pathError(error, path);
    }
  };
  return {
    find: ({ root, path }) => inWords(path, () => findFile(within(root), normalizePath(path))),
    resolve: ({ root, path }) => inWords(path, () => resolveLinks(within(root), normalizePath(path))),
    async *list({ root, path }, signal) {
      const contained = within(root);
      const top = await contained.openDirectory(normalizePath(path));
      try {
        const options = { signal, isExcluded: () => false };
        for await (const entry of walkTree(contained, top, options)) yield entry.path.toString();
      } finally {
        top.close();
      }
    },
    listFiles: ({ root, path }, signal) => listFiles(within(root), normalizePath(path), signal),
    openFile: ({ root, path }) => inWords(path, () => openFile(within(root), normalizePath(path))),
    removeIgnored: ({ root, path }, ignored, signal) =>
      inWords(path, () => removeIgnored(within(root), { path: normalizePath(path), ignored, signal })),
    hash: ({ root, path }, options) =>
      inWords(path, () => hashTree(within(root), normalizePath(path), options)),
    copy: (files) =>
      inWords(files.to.path, () =>
        copyTree({ libc, source: within(files.from.root), target: within(files.to.root) }, files),
      ),
    makeDirectory: ({ root, path }, owner) =>
      inWords(path, async () => makeDirectory(within(root), await resolveLinks(within(root), path), owner)),
    openArchive: ({ root, path }) => inWords(path, () => openArchive(within(root), normalizePath(path))),
  };
}

async function findFile(contained: Contained, path: string): Promise<FoundFile | undefined> {
  try {
    const file = await contained.openPath(path);
    try {
      const stats = await stat(file.path);
      const kind = stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : 'other';
      return { path: await resolveLinks(contained, path), kind };
    } finally {
      file.close();
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function makeDirectory(contained: Contained, path: string, owner: FileOwner): Promise<void> {
  const { calls } = contained;
  try {
    (await contained.openDirectory(path)).close();
    return;
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || path === '/') throw error;
  }
  await makeDirectory(contained, posix.dirname(path), owner);
  const parent = await contained.openDirectory(posix.dirname(path));
  try {
    const name = `${parent.path}/${posix.basename(path)}`;
    await calls.mkdir(name);
    await calls.chown(name, owner.uid, owner.gid);
    await calls.chmod(name, directoryMode);
  } finally {
    parent.close();
  }
}

async function openFile(contained: Contained, path: string): Promise<Readable> {
  const file = await contained.openPath(path);
  try {
    if (!(await stat(file.path)).isFile()) throw new EngineError('InvalidArgument', `${path} is no file`);
    return (await open(file.path, constants.O_RDONLY | constants.O_NONBLOCK)).createReadStream();
  } finally {
    file.close();
  }
}

async function openArchive(contained: Contained, path: string): Promise<Readable | undefined> {
  const file = await contained.openPath(path);
  try {
    if (!(await stat(file.path)).isFile()) return undefined;
    if (!(await beginsLikeTar(file.path))) return undefined;
    const handle = await open(file.path, constants.O_RDONLY | constants.O_NONBLOCK);
    return handle.createReadStream();
  } finally {
    file.close();
  }
}

async function beginsLikeTar(path: string): Promise<boolean> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const source = handle.createReadStream();
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of decompress(source)) {
      head = Buffer.concat([head, chunk.subarray(0, tarBlockBytes)]);
      if (head.length >= tarBlockBytes) break;
    }
  } catch (error) {
    // A damaged archive is copied as it is; one that only this host cannot unpack must not be.
    if (error instanceof EngineError && error.kind !== 'InvalidArgument') throw error;
    return false;
  } finally {
    source.destroy();
  }
  return head.length >= tarBlockBytes && hasTarChecksum(head.subarray(0, tarBlockBytes));
}

function hasTarChecksum(block: Buffer): boolean {
  const stated = block.subarray(checksumOffset, checksumOffset + checksumLength).toString('latin1');
  const wanted = Number.parseInt(stated.replace(/[\0 ]+$/, '').trim(), 8);
  let sum = 0;
  for (const [at, byte] of block.entries())
    sum += at >= checksumOffset && at < checksumOffset + checksumLength ? 0x20 : byte;
  return sum === wanted;
}
