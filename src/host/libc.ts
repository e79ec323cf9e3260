import { constants } from 'node:fs';
import { constants as osConstants } from 'node:os';

import type { Libc, OpenHow, ResolveFlag } from './types.ts';

const atFdcwd = -100;
const resolveBits: Readonly<Record<ResolveFlag, bigint>> = {
  NO_XDEV: 0x01n,
  NO_MAGICLINKS: 0x02n,
  NO_SYMLINKS: 0x04n,
  BENEATH: 0x08n,
  IN_ROOT: 0x10n,
};
const flockOperations = { shared: 1 | 4, exclusive: 2 | 4, unlock: 8 } as const;
const fSetPipeSize = 1031;
const openCloexec = 0o2000000;
const umountDetach = 2;
const umountNofollow = 8;
const openTreeClone = 1;
const atRecursive = 0x8000;
const moveMountFromEmptyPath = 4;
const maxXattrBytes = 65_536;

// These numbers are the same on x86_64 and arm64: calls newer than 2019 share one table on all architectures.
const numbers = { openTree: 428, moveMount: 429, openat2: 437 } as const;

type Argument = number | string | Buffer | null;
type SystemFunction = (...args: readonly Argument[]) => number;
type AsyncSystemFunction = (
  ...args: readonly [...Argument[], (error: unknown, result: number) => void]
) => void;

interface Native {
  readonly functions: Readonly<Record<NativeName, SystemFunction>>;
  readonly openat2Async: AsyncSystemFunction;
  readonly lastErrno: () => number;
}

const signatures = {
  mkfifo: ['mkfifo', 'int', ['str', 'uint32']],
  mknod: ['mknod', 'int', ['str', 'uint32', 'uint64']],
  mount: ['mount', 'int', ['str', 'str', 'str', 'ulong', 'str']],
  umount2: ['umount2', 'int', ['str', 'int']],
  flock: ['flock', 'int', ['int', 'int']],
  fcntl: ['fcntl', 'int', ['int', 'int', 'long']],
  openat2: ['syscall', 'long', ['long', 'long', 'str', 'void *', 'size_t']],
  openTree: ['syscall', 'long', ['long', 'long', 'str', 'long']],
  moveMount: ['syscall', 'long', ['long', 'long', 'str', 'long', 'str', 'long']],
  getxattr: ['getxattr', 'long', ['str', 'str', 'void *', 'size_t']],
  setxattr: ['setxattr', 'int', ['str', 'str', 'void *', 'size_t', 'int']],
} as const;

type NativeName = keyof typeof signatures;

const errnoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(osConstants.errno).map(([name, value]) => [value, name]),
);

function systemError(syscall: string, errno: number, path: string): Error {
  const code = errnoNames.get(errno) ?? `E${errno}`;
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, errno, syscall });
}

function encodeHow(how: OpenHow): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64LE(BigInt(how.flags | openCloexec), 0);
  bytes.writeBigUInt64LE(BigInt(how.mode ?? 0), 8);
  let resolve = 0n;
  for (const flag of how.resolve) resolve |= resolveBits[flag];
  bytes.writeBigUInt64LE(resolve, 16);
  return bytes;
}

// The kernel's dev_t as the C library packs it: glibc and musl agree.
function makeDevice(major: number, minor: number): number {
  const low = (minor & 0xff) | ((major & 0xfff) << 8);
  const high = (minor & 0xfff00) * 0x1000 + (major & 0xfffff000) * 0x100000000;
  return low + high;
}

async function loadNative(): Promise<Native> {
  const koffi = await import('koffi');
  // The process itself has the C library's symbols, whichever library that is.
  const library = koffi.load(null);
  const bind = (name: NativeName): ReturnType<typeof library.func> => {
    const [symbol, result, parameters] = signatures[name];
    return library.func(symbol, result, [...parameters]);
  };
  const functions = {} as Record<NativeName, SystemFunction>;
  for (const name of Object.keys(signatures) as NativeName[]) functions[name] = bind(name) as SystemFunction;
  return {
    functions,
    openat2Async: bind('openat2').async as AsyncSystemFunction,
    lastErrno: () => koffi.errno(),
  };
}

/** Loads the foreign function library (some milliseconds) and binds the C library's functions. */
export async function loadLibc(): Promise<Libc> {
  const native = await loadNative();
  const check = (syscall: string, path: string, result: number): number => {
    if (result < 0) throw systemError(syscall, native.lastErrno(), path);
    return result;
  };
  return { ...fileCalls(native, check), ...mountCalls(native, check), ...openCalls(native, check) };
}

type Check = (syscall: string, path: string, result: number) => number;
type FileCalls = Pick<Libc, 'mkfifo' | 'mknod' | 'flock' | 'setPipeSize' | 'getXattr' | 'setXattr'>;

function fileCalls({ functions, lastErrno }: Native, check: Check): FileCalls {
  return {
    mkfifo(path, mode) {
      check('mkfifo', path, functions.mkfifo(path, mode));
    },
    mknod({ path, mode, major, minor }) {
      check('mknod', path, functions.mknod(path, mode, makeDevice(major, minor)));
    },
    flock(fd, kind) {
      const result = functions.flock(fd, flockOperations[kind]);
      if (result < 0 && lastErrno() === osConstants.errno.EWOULDBLOCK) return false;
      check('flock', `fd ${fd}`, result);
      return true;
    },
    setPipeSize(fd, bytes) {
      return check('fcntl', `fd ${fd}`, functions.fcntl(fd, fSetPipeSize, bytes));
    },
    getXattr(path, name) {
      const value = Buffer.alloc(maxXattrBytes);
      const size = functions.getxattr(path, name, value, value.length);
      const absent: readonly number[] = [osConstants.errno.ENODATA, osConstants.errno.EOPNOTSUPP];
      if (size < 0 && absent.includes(lastErrno())) return undefined;
      return value.subarray(0, check('getxattr', path, size));
    },
    setXattr(path, name, value) {
      check('setxattr', path, functions.setxattr(path, name, value, value.length, 0));
    },
  };
}

type MountCalls = Pick<Libc, 'mount' | 'unmount' | 'openTree' | 'moveMount'>;

function mountCalls({ functions }: Native, check: Check): MountCalls {
  const orNull = (text: string): string | null => (text === '' ? null : text);
  return {
    mount({ source, target, type, flags, data }) {
      check('mount', target, functions.mount(orNull(source), target, orNull(type), flags, orNull(data)));
    },
    unmount(target, { lazy }) {
      const flags = umountNofollow | (lazy ? umountDetach : 0);
      check('umount2', target, functions.umount2(target, flags));
    },
    openTree(path, { recursive }) {
      const flags = openTreeClone | openCloexec | (recursive ? atRecursive : 0);
      return check('open_tree', path, functions.openTree(numbers.openTree, atFdcwd, path, flags));
    },
    moveMount(treeFd, target) {
      const result = functions.moveMount(
        numbers.moveMount,
        treeFd,
        '',
        atFdcwd,
        target,
        moveMountFromEmptyPath,
      );
      check('move_mount', target, result);
    },
  };
}

type OpenCalls = Pick<Libc, 'openat2' | 'openat2Async'>;

function openCalls({ functions, openat2Async, lastErrno }: Native, check: Check): OpenCalls {
  const howBytes = 24;
  return {
    openat2(directoryFd, path, how) {
      const result = functions.openat2(numbers.openat2, directoryFd, path, encodeHow(how), howBytes);
      return check('openat2', path, result);
    },
    openat2Async(directoryFd, path, how) {
      return new Promise((resolve, reject) => {
        const args = [numbers.openat2, directoryFd, path, encodeHow(how), howBytes] as const;
        openat2Async(...args, (error, result) => {
          if (error instanceof Error) reject(error);
          else if (result < 0) reject(systemError('openat2', lastErrno(), path));
          else resolve(result);
        });
      });
    },
  };
}

/** Flags for a descriptor that only names a file: nothing is opened, no device driver, no FIFO is waited for. */
export const pathOnly = 0o10000000 | constants.O_NOFOLLOW;
