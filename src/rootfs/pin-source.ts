import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { open, readlink, stat, statfs } from 'node:fs/promises';

import { EngineError } from '../errors.ts';
import { errnoCode, isErrno, toEngineError } from '../host/errors.ts';
import type { Libc } from '../host/types.ts';
import type { BindLookup, PinnedSource } from './types-binds.ts';
import { createContained, persist, type ContainedFile } from './contained.ts';
import { ensureDirectory } from './make-directory.ts';
import { openInWorkspaces, type Workspace } from './workspace.ts';

const pathOnly = 0o10000000;
const newDirectoryMode = 0o755;

/** Types of file systems in which the kernel shows itself, as statfs(2) numbers them. */
const kernelFileSystems: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0x1cd1, // devpts
  0x19800202, // mqueue
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0xcafe4a11, // bpf
  0x62656570, // configfs
  0x6165676c, // pstore
  0xde5e81e4, // efivarfs
  0x6e736673, // nsfs
  0x42494e4d, // binfmt_misc
  0xf97cff8c, // selinuxfs
]);

/** Where sources are looked for. */
export interface SourceWorld {
  readonly libc: Libc;
  readonly workspaces: readonly Workspace[];
  /** Directories of berth itself, without links: never bound, nor what holds them. */
  readonly ownDirectories: readonly string[];
  /** The job's own Docker socket. */
  readonly socketPath: string;
}

/** Looks a source up in the job's view and holds it; see BindAccess.pin. */
export async function pinSource(world: SourceWorld, lookup: BindLookup): Promise<PinnedSource> {
  const { path, pid } = lookup;
  try {
    return await (pid === undefined ? pinInWorkspaces(world, lookup) : pinInProcess(world, lookup, pid));
  } catch (error) {
    throw sourceError(error, path);
  }
}

async function pinInWorkspaces(world: SourceWorld, { path, create }: BindLookup): Promise<PinnedSource> {
  const file = await persist(() => openInWorkspaces(world, path, create));
  try {
    await refuseOwn(world, file, path);
    const kind = await kindOf(world, file, path);
    return { fd: file.fd, namespaceFd: undefined, kind, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function pinInProcess(world: SourceWorld, lookup: BindLookup, pid: number): Promise<PinnedSource> {
  const { path, create } = lookup;
  const held = await openProcess(world.libc, pid);
  try {
    const contained = createContained(world.libc, { fd: held.rootFd, isOwn: false });
    const file = await persist(async () => {
      try {
        return await contained.openPath(path);
      } catch (error) {
        if (!create || !isErrno(error, 'ENOENT')) throw error;
        return ensureDirectory(contained, path, newDirectoryMode);
      }
    });
    try {
      const kind = await kindOf(world, file, path);
      const close = (): void => {
        file.close();
        closeSync(held.namespaceFd);
      };
      return { fd: file.fd, namespaceFd: held.namespaceFd, kind, close };
    } catch (error) {
      file.close();
      throw error;
    }
  } catch (error) {
    closeSync(held.namespaceFd);
    throw error;
  } finally {
    closeSync(held.rootFd);
  }
}

/** Root and mount namespace of one and the same process, through one descriptor of its directory. */
async function openProcess(
  libc: Libc,
  pid: number,
): Promise<{ readonly rootFd: number; readonly namespaceFd: number }> {
  const proc = await open(`/proc/${pid}`, pathOnly | constants.O_DIRECTORY);
  try {
    const namespacePath = `/proc/self/fd/${proc.fd}/ns/mnt`;
    const namespaceFd = openSync(namespacePath, constants.O_RDONLY);
    try {
      const [theirs, ours] = [fstatSync(namespaceFd), await stat('/proc/self/ns/mnt')];
      if (theirs.ino === ours.ino) throw new EngineError('Conflict', `process ${pid} is not in a container`);
      const flags = pathOnly | constants.O_DIRECTORY;
      return { rootFd: await libc.openat2Async(proc.fd, 'root', { flags, resolve: [] }), namespaceFd };
    } catch (error) {
      closeSync(namespaceFd);
      throw error;
    }
  } finally {
    await proc.close();
  }
}

async function kindOf(world: SourceWorld, file: ContainedFile, path: string): Promise<PinnedSource['kind']> {
  const facts = await stat(file.path);
  const fileSystem = await statfs(file.path);
  if (kernelFileSystems.has(fileSystem.type))
    throw new EngineError('PermissionDenied', `bind source path is of the kernel's own files: ${path}`);
  if (facts.nlink === 0) throw new EngineError('InvalidArgument', `bind source path was deleted: ${path}`);
  if (facts.isDirectory()) return 'directory';
  if (facts.isFile()) return 'file';
  if (facts.isSocket()) {
    const own = await stat(world.socketPath).catch(() => undefined);
    if (own?.ino === facts.ino && own.dev === facts.dev) return 'socket';
  }
  throw new EngineError(
    'InvalidArgument',
    `bind source path is neither a directory nor a regular file: ${path}`,
  );
}

/** A workspace may hold berth's own directories, where the operator's choice of places has it so. */
async function refuseOwn({ ownDirectories }: SourceWorld, file: ContainedFile, path: string): Promise<void> {
  const real = await readlink(file.path);
  const holds = (outer: string, inner: string): boolean =>
    outer === '/' || inner === outer || inner.startsWith(`${outer}/`);
  if (ownDirectories.some((own) => holds(own, real) || holds(real, own)))
    throw new EngineError('PermissionDenied', `bind source path holds files of berth itself: ${path}`);
}

function sourceError(error: unknown, path: string): EngineError {
  if (error instanceof EngineError) return error;
  const code = errnoCode(error);
  if (code === undefined) return toEngineError(error, `bind source path cannot be looked up: ${path}`);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new EngineError('NotFound', `bind source path does not exist: ${path}`, { cause: error });
  const words = `bind source path cannot be followed: ${path}: ${code}`;
  return new EngineError('InvalidArgument', words, { cause: error });
}
