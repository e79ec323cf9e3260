import { closeSync, constants, type Stats } from 'node:fs';
import { chmod, chown, open, readlink, stat, type FileHandle } from 'node:fs/promises';

import { EngineError } from '../errors.ts';
import { isErrno, toEngineError } from '../host/errors.ts';
import type { HostMounts, Libc } from '../host/types.ts';
import {
  createContained,
  normalizePath,
  pathError,
  type Contained,
  type ContainedFile,
} from './contained.ts';
import { createChangeReader } from './change-views.ts';
import { ensureDirectory } from './make-directory.ts';
import { statPath } from './path-stat.ts';
import { splitLayers } from './overlay-layers.ts';
import { packPath, packTree } from './read-archive.ts';
import type { PathStat, RootfsAccess, RootHandle } from './types.ts';
import { unpackArchive } from './write-archive.ts';

const pathOnly = 0o10000000;
const READ_BYTES = 16 * 1024;

/** What the access is made with. */
export interface RootfsAccessOptions {
  readonly libc: Libc;
  readonly mounts: HostMounts;
}

/** Makes the access to containers' files. */
export function createRootfsAccess({ libc, mounts }: RootfsAccessOptions): RootfsAccess {
  const within = (root: RootHandle): Contained => createContained(libc, root);
  const inWords = async <T>(path: string, action: (normalized: string) => Promise<T>): Promise<T> => {
    const normalized = normalizePath(path);
    try {
      return await action(normalized);
    } catch (error) {
      throw pathError(error, path);
    }
  };
  const statNamed = async (root: RootHandle, path: string): Promise<PathStat> => {
    const stat = await statPath(within(root), path);
    return path === '/' && root.name !== undefined ? { ...stat, name: root.name } : stat;
  };
  const openRoot: RootfsAccess['openMounts'] = async (list, { isOwn } = { isOwn: false }) =>
    handleOf((await mounts.openDetached(list)).fd, isOwn);
  return {
    openMounts: openRoot,
    openProcess: (pid) => openProcessRoot(libc, pid),
    readFile: (root, path, maxBytes) => readContained(within(root), path, maxBytes),
    stat: (root, path) => inWords(path, (normalized) => statNamed(root, normalized)),
    readArchive: (root, path, signal) =>
      inWords(path, async (normalized) => {
        const stat = await statNamed(root, normalized);
        return { stat, tar: packPath(within(root), normalized, { signal, rootName: root.name }) };
      }),
    writeArchive: ({ root, path }, tar, options) =>
      inWords(path, (normalized) =>
        unpackArchive({ libc, contained: within(root), path: normalized }, tar, options),
      ),
    copyAttributes: (from, to) =>
      inWords(from.path, async (normalized) => {
        const source = await within(from.root).openDirectory(normalized);
        try {
          await applyAttributes(await stat(source.path), within(to.root), normalizePath(to.path));
        } finally {
          source.close();
        }
      }),
    ...createChangeReader({ openRoot, within }),
    async exportTree(list, signal) {
      const root = await openRoot(splitLayers(list).merged, { isOwn: true });
      return { tar: packTree(within(root), signal), close: () => root.close() };
    },
    mkdirAll: (root, path, mode) =>
      inWords(path, async (normalized) => (await ensureDirectory(within(root), normalized, mode)).close()),
  };
}

async function applyAttributes({ uid, gid, mode }: Stats, contained: Contained, path: string): Promise<void> {
  const target = await contained.openDirectory(path);
  try {
    // In this order: a change of owner takes the set-id bits away.
    await chown(target.path, uid, gid);
    await chmod(target.path, mode & 0o7777);
  } finally {
    target.close();
  }
}

function handleOf(fd: number, isOwn: boolean): RootHandle {
  return {
    fd,
    isOwn,
    close() {
      closeSync(fd);
      return Promise.resolve();
    },
  };
}

// All through one descriptor of the process's directory: a later process with the same pid is not looked into.
async function openProcessRoot(libc: Libc, pid: number): Promise<RootHandle> {
  try {
    const proc = await open(`/proc/${pid}`, pathOnly | constants.O_DIRECTORY);
    try {
      const namespace = await readlink(`/proc/self/fd/${proc.fd}/ns/mnt`);
      if (namespace === (await readlink('/proc/self/ns/mnt'))) {
        throw new EngineError('Conflict', `process ${pid} is not in a container`);
      }
      const flags = pathOnly | constants.O_DIRECTORY;
      const fd = await libc.openat2Async(proc.fd, 'root', { flags, resolve: [] });
      return handleOf(fd, false);
    } finally {
      await proc.close();
    }
  } catch (error) {
    throw toEngineError(error, `cannot look into process ${pid}`);
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
