import * as fs from 'node:fs';
import type { BigIntStats, Dirent, PathLike } from 'node:fs';
import { promisify } from 'node:util';

import type { Libc, OpenHow } from '../host/types.ts';
import { createTurns } from '../lib/turns.ts';

/** An answer that is there already, or one that comes. */
export type Awaitable<T> = T | Promise<T>;

/**
 * The calls that trees of files are read and written with. Descriptors are numbers, times are in seconds; failures are
 * Node's. Every answer is to be awaited: whether it is there at once is the maker's choice.
 */
export interface FileCalls {
  openat2(directoryFd: number, path: string | Buffer, how: OpenHow): Awaitable<number>;
  open(path: PathLike, flags: number, mode?: number): Awaitable<number>;
  close(fd: number): Awaitable<void>;
  /** Answers how many bytes were read; from `position`, or where the descriptor stands for null. */
  read(fd: number, into: Uint8Array, position: number | null): Awaitable<number>;
  /** Answers how many bytes were written: at `position`, or where the descriptor stands for null. */
  write(fd: number, bytes: Uint8Array, position: number | null): Awaitable<number>;
  fstat(fd: number): Awaitable<BigIntStats>;
  lstat(path: PathLike): Awaitable<BigIntStats>;
  /** Names in a directory. */
  readdir(path: PathLike): Awaitable<Buffer[]>;
  /** Names in a directory with their types. */
  readEntries(path: PathLike): Awaitable<Dirent<Buffer>[]>;
  readlink(path: PathLike): Awaitable<Buffer>;
  mkdir(path: PathLike, mode?: number): Awaitable<unknown>;
  symlink(target: PathLike, path: PathLike): Awaitable<void>;
  link(existing: PathLike, path: PathLike): Awaitable<void>;
  unlink(path: PathLike): Awaitable<void>;
  rmdir(path: PathLike): Awaitable<void>;
  chmod(path: PathLike, mode: number): Awaitable<void>;
  chown(path: PathLike, uid: number, gid: number): Awaitable<void>;
  fchmod(fd: number, mode: number): Awaitable<void>;
  fchown(fd: number, uid: number, gid: number): Awaitable<void>;
  lchown(path: PathLike, uid: number, gid: number): Awaitable<void>;
  utimes(path: PathLike, atime: number, mtime: number): Awaitable<void>;
  futimes(fd: number, atime: number, mtime: number): Awaitable<void>;
  lutimes(path: PathLike, atime: number, mtime: number): Awaitable<void>;
  ftruncate(fd: number, sizeBytes: number): Awaitable<void>;
  /** Lets others have their turn where this work has had the thread for long: to be called once for each file. */
  yieldTurn(): Awaitable<void>;
}

/** Calls on threads of the pool: for file systems that may be slow, or may never answer. */
export function pooledCalls(libc: Pick<Libc, 'openat2Async'>): FileCalls {
  const read = promisify(fs.read);
  const write = promisify(fs.write);
  const { lstat, readdir, readlink } = fs.promises;
  const fstat = promisify(fs.fstat) as (fd: number, options: { bigint: true }) => Promise<BigIntStats>;
  return {
    openat2: (directoryFd, path, how) => libc.openat2Async(directoryFd, path, how),
    open: promisify(fs.open),
    close: promisify(fs.close),
    read: async (fd, into, position) => (await read(fd, into, 0, into.length, position)).bytesRead,
    write: async (fd, bytes, position) => (await write(fd, bytes, 0, bytes.length, position)).bytesWritten,
    fstat: (fd) => fstat(fd, { bigint: true }),
    lstat: (path) => lstat(path, { bigint: true }),
    readdir: (path) => readdir(path, { encoding: 'buffer' }),
    readEntries: (path) => readdir(path, { encoding: 'buffer', withFileTypes: true }),
    readlink: (path) => readlink(path, { encoding: 'buffer' }),
    mkdir: (path, mode) => fs.promises.mkdir(path, mode),
    symlink: (target, path) => fs.promises.symlink(target, path),
    link: (existing, path) => fs.promises.link(existing, path),
    unlink: (path) => fs.promises.unlink(path),
    rmdir: (path) => fs.promises.rmdir(path),
    chmod: (path, mode) => fs.promises.chmod(path, mode),
    chown: (path, uid, gid) => fs.promises.chown(path, uid, gid),
    fchmod: promisify(fs.fchmod),
    fchown: promisify(fs.fchown),
    lchown: (path, uid, gid) => fs.promises.lchown(path, uid, gid),
    utimes: (path, atime, mtime) => fs.promises.utimes(path, atime, mtime),
    futimes: promisify(fs.futimes),
    lutimes: (path, atime, mtime) => fs.promises.lutimes(path, atime, mtime),
    ftruncate: (fd, sizeBytes) => promisify(fs.ftruncate)(fd, sizeBytes),
    yieldTurn: () => undefined,
  };
}

/**
 * Calls made at once, a tenth of the cost for small files: for file systems that are berth's own, behind which no program
 * of a container answers. Turns are short, so that nothing else of the process waits.
 */
export function directCalls(libc: Pick<Libc, 'openat2'>): FileCalls {
  return {
    openat2: (directoryFd, path, how) => libc.openat2(directoryFd, path, how),
    open: (path, flags, mode) => fs.openSync(path, flags, mode),
    close: fs.closeSync,
    read: (fd, into, position) => fs.readSync(fd, into, 0, into.length, position),
    write: (fd, bytes, position) => fs.writeSync(fd, bytes, 0, bytes.length, position),
    fstat: (fd) => fs.fstatSync(fd, { bigint: true }),
    lstat: (path) => fs.lstatSync(path, { bigint: true }),
    readdir: (path) => fs.readdirSync(path, { encoding: 'buffer' }),
    readEntries: (path) => fs.readdirSync(path, { encoding: 'buffer', withFileTypes: true }),
    readlink: (path) => fs.readlinkSync(path, { encoding: 'buffer' }),
    mkdir: (path, mode) => fs.mkdirSync(path, mode),
    symlink: (target, path) => {
      fs.symlinkSync(target, path);
    },
    link: fs.linkSync,
    unlink: fs.unlinkSync,
    rmdir: (path) => {
      fs.rmdirSync(path);
    },
    chmod: fs.chmodSync,
    chown: fs.chownSync,
    fchmod: fs.fchmodSync,
    fchown: fs.fchownSync,
    lchown: fs.lchownSync,
    utimes: fs.utimesSync,
    futimes: fs.futimesSync,
    lutimes: fs.lutimesSync,
    ftruncate: fs.ftruncateSync,
    yieldTurn: createTurns(),
  };
}
