import { closeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';

import { EngineError } from '../errors.ts';
import { createTreeCloner } from './clone-tree.ts';
import type { Argument, Native } from './native.ts';
import { systemError } from './system-error.ts';
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
const maxAttributeBytes = 64;
const noAttribute: ReadonlySet<number> = new Set([
  osConstants.errno.ENODATA,
  osConstants.errno.ENOTSUP,
  osConstants.errno.EOPNOTSUPP,
]);
const openCloexec = 0o2000000;
const umountDetach = 2;
const umountNofollow = 8;
const openTreeClone = 1;
const atRecursive = 0x8000;
const moveMountFromEmptyPath = 0x04;
const moveMountToEmptyPath = 0x40;

// These numbers are the same on x86_64 and arm64: calls newer than 2019 share one table on all architectures.
const numbers = {
  pidfdSendSignal: 424,
  openTree: 428,
  moveMount: 429,
  pidfdOpen: 434,
  openat2: 437,
  pidfdGetfd: 438,
} as const;

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

/** Loads the foreign function library (some milliseconds) and binds the C library's functions. */
export async function loadLibc(): Promise<Libc> {
  const { openNative } = await import('./native.ts');
  const native = openNative();
  const check = (syscall: string, path: string, result: number): number => {
    if (result < 0) throw systemError(syscall, native.lastErrno(), path);
    return result;
  };
  return {
    ...fileCalls(native, check),
    ...mountCalls(native, check),
    ...createTreeCloner(native, check),
    ...openCalls(native, check),
    ...processCalls(native, check),
  };
}

type Check = (syscall: string, path: string, result: number) => number;
type FileCalls = Pick<Libc, 'mkfifo' | 'flock' | 'setPipeSize' | 'getxattr' | 'setxattr'>;

function fileCalls({ functions, lastErrno }: Native, check: Check): FileCalls {
  return {
    mkfifo(path, mode) {
      check('mkfifo', path, functions.mkfifo(path, mode));
    },
    flock(fd, kind) {
      const result = functions.flock(fd, flockOperations[kind]);
      if (result < 0 && lastErrno() === osConstants.errno.EWOULDBLOCK) return false;
      check('flock', `fd ${fd}`, result);
      return true;
    },
    getxattr(path, name) {
      const value = Buffer.alloc(maxAttributeBytes);
      const length = functions.getxattr(path, name, value, value.length);
      if (length < 0 && noAttribute.has(lastErrno())) return undefined;
      return value.subarray(0, check('getxattr', path, length));
    },
    setxattr(path, name, value) {
      check('setxattr', path, functions.setxattr(path, name, value, value.length, 0));
    },
    setPipeSize(fd, bytes) {
      return check('fcntl', `fd ${fd}`, functions.fcntl(fd, fSetPipeSize, bytes));
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
      const [toFd, toPath, toFlags] =
        typeof target === 'number' ? [target, '', moveMountToEmptyPath] : [atFdcwd, target, 0];
      const flags = moveMountFromEmptyPath | toFlags;
      const result = functions.moveMount(numbers.moveMount, treeFd, '', toFd, toPath, flags);
      check('move_mount', String(target), result);
    },
  };
}

type ProcessCalls = Pick<Libc, 'takeFd' | 'signalIf'>;

function processCalls({ functions }: Native, check: Check): ProcessCalls {
  // It names one process for good, whoever has its number later.
  const withProcess = <T>(pid: number, use: (pidFd: number) => T): T => {
    const pidFd = check('pidfd_open', `pid ${pid}`, functions.pidfdOpen(numbers.pidfdOpen, pid, 0));
    try {
      return use(pidFd);
    } finally {
      closeSync(pidFd);
    }
  };
  return {
    takeFd: (pid, fd) =>
      withProcess(pid, (pidFd) =>
        check('pidfd_getfd', `fd ${fd}`, functions.pidfdGetfd(numbers.pidfdGetfd, pidFd, fd, 0)),
      ),
    signalIf: (pid, signal, isMeant) =>
      withProcess(pid, (pidFd) => {
        if (!isMeant()) return false;
        const { pidfdSendSignal } = functions;
        const result = pidfdSendSignal(numbers.pidfdSendSignal, pidFd, signal, null, 0);
        check('pidfd_send_signal', `pid ${pid}`, result);
        return true;
      }),
  };
}

type OpenCalls = Pick<Libc, 'openat2' | 'openat2Async' | 'mknod'>;

function openCalls({ functions, callAsync }: Native, check: Check): OpenCalls {
  const argumentsOf = (directoryFd: number, path: string | Buffer, how: OpenHow): readonly Argument[] => {
    const howBytes = encodeHow(how);
    return [numbers.openat2, directoryFd, terminated(path), howBytes, howBytes.length];
  };
  return {
    openat2: (directoryFd, path, how) =>
      check('openat2', path.toString(), functions.openat2(...argumentsOf(directoryFd, path, how))),
    openat2Async: (directoryFd, path, how) =>
      callAsync('openat2', path.toString(), argumentsOf(directoryFd, path, how)),
    async mknod({ path, mode, major, minor }) {
      await callAsync('mknod', path, [path, mode, makeDevice(major, minor)]);
    },
  };
}

function terminated(path: string | Buffer): Buffer {
  const bytes = Buffer.from(path);
  if (bytes.includes(0)) throw new EngineError('InvalidArgument', 'a path cannot hold a NUL byte');
  return Buffer.concat([bytes, Buffer.alloc(1)]);
}
