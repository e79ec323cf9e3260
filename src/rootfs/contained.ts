import { closeSync, constants } from 'node:fs';
import { posix } from 'node:path';

import { EngineError } from '../errors.ts';
import { isErrno, toEngineError } from '../host/errors.ts';
import type { Libc } from '../host/types.ts';
import { directCalls, pooledCalls, type FileCalls } from './file-calls.ts';

const maxPathBytes = 4096;
const maxLinks = 40;
const maxAttempts = 200;
const pathOnly = 0o10000000;
const capabilityAttribute = 'security.capability';

/** Resolves paths below one directory descriptor; the kernel sees to it that nothing leads out. */
export interface Contained {
  /** What everything below the root is read and written with. */
  readonly calls: FileCalls;
  /** A directory, its links followed inside the root. */
  openDirectory(path: string): Promise<ContainedFile>;
  /** A file of any kind, its links followed inside the root; nothing is opened, only named. */
  openPath(path: string): Promise<ContainedFile>;
  /** A directory below a held one, no link followed at all. */
  openBelow(parent: ContainedFile, path: string | Buffer): Promise<ContainedFile>;
  /** True where something is mounted at a name in a held directory. */
  isMountPoint(parent: ContainedFile, name: Buffer): Promise<boolean>;
  /** Splits off the last component and opens what holds it. */
  openParent(path: string): Promise<ContainedEntry>;
  /** The file capabilities of what a descriptor names, as the kernel stores them; undefined where there are none. */
  readCapabilities(fd: number): Buffer | undefined;
  /** Gives a file the capabilities that another one had. */
  writeCapabilities(fd: number, capabilities: Buffer): void;
}

/** A held O_PATH descriptor. */
export interface ContainedFile {
  readonly fd: number;
  /** A name of it that only this process has; as a whole it may be followed. */
  readonly path: string;
  close(): void;
}

/** One name in a held directory: operations on `path` must not follow it. */
export interface ContainedEntry {
  readonly parent: ContainedFile;
  readonly path: string;
}

/** Makes the resolver of a root directory; `isOwn` as in RootHandle. */
export function createContained(
  libc: Libc,
  { fd: rootFd, isOwn }: { readonly fd: number; readonly isOwn: boolean },
): Contained {
  const calls = isOwn ? directCalls(libc) : pooledCalls(libc);
  const open = async (
    fd: number,
    path: string | Buffer,
    how: { flags: number; isStrict: boolean },
  ): Promise<ContainedFile> => {
    const resolve = how.isStrict
      ? (['BENEATH', 'NO_SYMLINKS', 'NO_MAGICLINKS'] as const)
      : (['IN_ROOT', 'NO_MAGICLINKS'] as const);
    return holdFd(await calls.openat2(fd, path, { flags: pathOnly | how.flags, resolve }));
  };
  const { O_DIRECTORY } = constants;
  const openDirectory = (path: string): Promise<ContainedFile> =>
    open(rootFd, path, { flags: O_DIRECTORY, isStrict: false });
  return {
    calls,
    openDirectory,
    openPath: (path) => open(rootFd, path, { flags: 0, isStrict: false }),
    openBelow: (parent, path) => open(parent.fd, path, { flags: O_DIRECTORY, isStrict: true }),
    async isMountPoint(parent, name) {
      const how = { flags: pathOnly | constants.O_NOFOLLOW, resolve: ['BENEATH', 'NO_XDEV'] } as const;
      try {
        closeSync(await calls.openat2(parent.fd, name, how));
        return false;
      } catch (error) {
        if (isErrno(error, 'EXDEV')) return true;
        if (isErrno(error, 'ENOENT')) return false;
        throw error;
      }
    },
    async openParent(path) {
      const { directory, name } = splitPath(path);
      const parent = await openDirectory(directory);
      return { parent, path: name === '' ? parent.path : posix.join(parent.path, name) };
    },
    readCapabilities: (fd) => libc.getxattr(`/proc/self/fd/${fd}`, capabilityAttribute),
    writeCapabilities: (fd, capabilities) => {
      libc.setxattr(`/proc/self/fd/${fd}`, capabilityAttribute, capabilities);
    },
  };
}

/** Wraps an O_PATH descriptor. */
export function holdFd(fd: number): ContainedFile {
  return { fd, path: `/proc/self/fd/${fd}`, close: () => closeSync(fd) };
}

/** Tries a look-up again that the kernel gave up on: directories are moved meanwhile, or a link came where none was. */
export async function persist(action: () => Promise<ContainedFile>): Promise<ContainedFile> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (!isErrno(error, 'EAGAIN', 'ELOOP', 'EXDEV') || attempt === maxAttempts) throw error;
    }
  }
}

/** A user's path as an absolute one, `.` and `..` taken out, a trailing `/` or `/.` kept: it says that a directory is meant. */
export function normalizePath(path: string): string {
  if (path === '' || path.includes('\0') || Buffer.byteLength(path) > maxPathBytes) {
    throw new EngineError('InvalidArgument', `invalid path: ${JSON.stringify(path.slice(0, 256))}`);
  }
  const clean = posix.resolve('/', path);
  if (clean === '/' || !/(?:^|\/)\.?$/.test(path)) return clean;
  return path.endsWith('/') ? `${clean}/` : `${clean}/.`;
}

/** A user's path that also names what is copied: `/.` differs from `/` there, as `dir/.` from `dir`. */
export function normalizeNamed(path: string): string {
  const clean = normalizePath(path);
  return clean === '/' && posix.basename(path) === '.' ? '/.' : clean;
}

/** The directory to be resolved and the name in it to be taken as it is; no name where the path ends like a directory. */
export function splitPath(normalized: string): { readonly directory: string; readonly name: string } {
  const at = normalized.lastIndexOf('/');
  const name = normalized.slice(at + 1);
  return { directory: normalized.slice(0, at + 1), name: name === '.' ? '' : name };
}

/** Where a path leads once every link is followed inside the root; what does not exist is kept as it is. */
export async function resolveLinks(contained: Contained, path: string): Promise<string> {
  let resolved = '/';
  let rest = posix.resolve('/', path).split('/').filter(Boolean);
  for (let links = 0; rest.length > 0;) {
    const [name = '', ...after] = rest;
    const target = name === '..' ? undefined : await readLinkAt(contained, posix.join(resolved, name));
    if (target === undefined) {
      resolved = posix.join(resolved, name);
      rest = after;
      continue;
    }
    links += 1;
    if (links > maxLinks) throw new EngineError('InvalidArgument', `too many links in ${path}`);
    if (target.startsWith('/')) resolved = '/';
    rest = [...target.split('/').filter((part) => part !== '' && part !== '.'), ...after];
  }
  return resolved;
}

async function readLinkAt(contained: Contained, path: string): Promise<string | undefined> {
  let entry: ContainedEntry | undefined;
  try {
    entry = await contained.openParent(path);
    return (await contained.calls.readlink(entry.path)).toString();
  } catch (error) {
    if (isErrno(error, 'EINVAL', 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  } finally {
    entry?.parent.close();
  }
}

/** A failure inside a container's files, in words that name its path only. */
export function pathError(error: unknown, path: string): EngineError {
  if (error instanceof EngineError) return error;
  if (isErrno(error, 'ENOENT', 'ENOTDIR')) return new EngineError('NotFound', path, { cause: error });
  if (isErrno(error, 'EROFS')) {
    return new EngineError('PermissionDenied', 'container rootfs is marked read-only', { cause: error });
  }
  return toEngineError(error, path);
}
