import { closeSync, constants } from 'node:fs';
import { open, readlink } from 'node:fs/promises';

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
import { ensureDirectory } from './make-directory.ts';
import { statPath } from './path-stat.ts';
import { packPath } from './read-archive.ts';
import type { RootfsAccess, RootHandle } from './types.ts';
import { unpackArchive } from './write-archive.ts';

const pathOnly = 0o10000000;

/** What the access is made with. */
export interface RootfsAccessOptions {
  readonly libc: Libc;
  readonly mounts: HostMounts;
}

/** Makes the access to containers' files. */
export function createRootfsAccess({ libc, mounts }: RootfsAccessOptions): RootfsAccess {
  const within = (root: RootHandle): Contained => createContained(libc, root.fd);
  const inWords = async <T>(path: string, action: (normalized: string) => Promise<T>): Promise<T> => {
    const normalized = normalizePath(path);
    try {
      return await action(normalized);
    } catch (error) {
      throw pathError(error, path);
    }
  };
  return {
    async openMounts(list) {
      const mount = await mounts.openDetached(list);
      return handleOf(mount.fd);
    },
    openProcess: (pid) => openProcessRoot(libc, pid),
    readFile: (root, path, maxBytes) => readContained(within(root), path, maxBytes),
    stat: (root, path) => inWords(path, (normalized) => statPath(within(root), normalized)),
    readArchive: (root, path, signal) =>
      inWords(path, async (normalized) => {
        const stat = await statPath(within(root), normalized);
        return { stat, tar: packPath(within(root), normalized, signal) };
      }),
    writeArchive: ({ root, path }, tar, options) =>
      inWords(path, (normalized) =>
        unpackArchive({ libc, contained: within(root), path: normalized }, tar, options),
      ),
    mkdirAll: (root, path, mode) =>
      inWords(path, async (normalized) => (await ensureDirectory(within(root), normalized, mode)).close()),
  };
}

function handleOf(fd: number): RootHandle {
  return {
    fd,
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
      return handleOf(fd);
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
      const buffer = Buffer.alloc(maxBytes + 1);
      let size = 0;
      for (let last = -1; last !== 0 && size <= maxBytes; size += last) {
        last = (await handle.read(buffer, size, buffer.length - size, null)).bytesRead;
      }
      if (size > maxBytes)
        throw new EngineError('InvalidArgument', `${path} is larger than ${maxBytes} bytes`);
      return buffer.subarray(0, size);
    } finally {
      await handle.close();
    }
  } finally {
    named.close();
  }
}

// A second descriptor, opened only once the first one says that it is no FIFO and no device.
async function openRegular(named: ContainedFile, path: string): ReturnType<typeof open> {
  const probe = await open(named.path, pathOnly);
  const stats = await probe.stat().finally(() => probe.close());
  if (!stats.isFile()) throw new EngineError('InvalidArgument', `${path} is not a regular file`);
  return open(named.path, constants.O_RDONLY | constants.O_NONBLOCK);
}
