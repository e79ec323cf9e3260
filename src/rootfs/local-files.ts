import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

import { EngineError } from '../errors.ts';
import { isErrno } from '../host/errors.ts';
import type { Libc } from '../host/types.ts';
import {
  createContained,
  normalizeNamed,
  normalizePath,
  pathError,
  type Contained,
  type ContainedFile,
} from './contained.ts';
import { statPath } from './path-stat.ts';
import { packPath } from './read-archive.ts';
import type { PathStat, RootfsAccess, RootHandle } from './types.ts';
import { unpackArchive } from './write-archive.ts';

const pathOnly = 0o10000000;
const READ_BYTES = 16 * 1024;

/** What `docker cp` does with a container's files. */
export type LocalFiles = Pick<RootfsAccess, 'stat' | 'readFile' | 'readArchive' | 'writeArchive'>;

/** Does it in this process: for roots in which nothing can hang, and in look-up processes for all others. */
export function createLocalFiles(libc: Libc): LocalFiles {
  const within = (root: RootHandle): Contained => createContained(libc, root);
  const statNamed = async (root: RootHandle, path: string): Promise<PathStat> => {
    const stat = await statPath(within(root), path);
    return path === '/' && root.name !== undefined ? { ...stat, name: root.name } : stat;
  };
  return {
    readFile: (root, path, maxBytes) => readContained(within(root), path, maxBytes),
    stat: (root, path) => inWords(path, () => statNamed(root, normalizeNamed(path))),
    readArchive: (root, path, signal) =>
      inWords(path, async () => {
        const named = normalizeNamed(path);
        const stat = await statNamed(root, named);
        return { stat, tar: packPath(within(root), named, { signal, rootName: root.name }) };
      }),
    writeArchive: ({ root, path }, tar, options) =>
      inWords(path, (normalized) =>
        unpackArchive({ libc, contained: within(root), path: normalized }, tar, options),
      ),
  };
}

/** Does something with a user's path, and words its failure by that path alone. */
export async function inWords<T>(path: string, action: (normalized: string) => Promise<T>): Promise<T> {
  const normalized = normalizePath(path);
  try {
    return await action(normalized);
  } catch (error) {
    throw pathError(error, path);
  }
}

async function readContained(
  contained: Contained,
  path: string,
  maxBytes: number,
): Promise<Buffer | undefined> {
  let named: ContainedFile;
  try {
    named = await contained.openPath(normalizePath(path));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw pathError(error, path);
  }
  try {
    const handle = await openRegular(named, path);
    try {
      const bytes = await readUpTo(handle, maxBytes + 1);
      if (bytes.length > maxBytes)
        throw new EngineError('InvalidArgument', `${path} is larger than ${maxBytes} bytes`);
      return bytes;
    } finally {
      await handle.close();
    }
  } finally {
    named.close();
  }
}

async function readUpTo(handle: FileHandle, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let size = 0; size < limit;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(READ_BYTES, limit - size)));
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
  return Buffer.concat(chunks);
}

// A second descriptor, opened only once the first one says that it is no FIFO and no device.
async function openRegular(named: ContainedFile, path: string): ReturnType<typeof open> {
  const probe = await open(named.path, pathOnly);
  const stats = await probe.stat().finally(() => probe.close());
  if (!stats.isFile()) throw new EngineError('InvalidArgument', `${path} is not a regular file`);
  return open(named.path, constants.O_RDONLY | constants.O_NONBLOCK);
}
