import koffi from 'koffi';

import { systemError } from './system-error.ts';

/** A value that a C function takes. */
export type Argument = number | string | Buffer | null;
type SystemFunction = (...args: readonly Argument[]) => number;
type AsyncSystemFunction = (
  ...args: readonly [...Argument[], (error: unknown, result: number) => void]
) => void;

/** The C library's functions as they are: negative results are failures. */
export interface Native {
  readonly functions: Readonly<Record<NativeName, SystemFunction>>;
  /** Calls on another thread; its errno comes back with the answer. */
  readonly callAsync: (name: NativeName, path: string, args: readonly Argument[]) => Promise<number>;
  readonly lastErrno: () => number;
}

const signatures = {
  mkfifo: ['mkfifo', 'int', ['str', 'uint32']],
  mknod: ['mknod', 'int', ['str', 'uint32', 'uint64']],
  getxattr: ['getxattr', 'long', ['str', 'str', 'void *', 'size_t']],
  setxattr: ['setxattr', 'int', ['str', 'str', 'void *', 'size_t', 'int']],
  mount: ['mount', 'int', ['str', 'str', 'str', 'ulong', 'str']],
  umount2: ['umount2', 'int', ['str', 'int']],
  flock: ['flock', 'int', ['int', 'int']],
  fcntl: ['fcntl', 'int', ['int', 'int', 'long']],
  setns: ['setns', 'int', ['int', 'int']],
  unshare: ['unshare', 'int', ['int']],
  fchdir: ['fchdir', 'int', ['int']],
  chroot: ['chroot', 'int', ['str']],
  openat2: ['syscall', 'long', ['long', 'long', 'void *', 'void *', 'size_t']],
  pidfdOpen: ['syscall', 'long', ['long', 'long', 'long']],
  pidfdGetfd: ['syscall', 'long', ['long', 'long', 'long', 'long']],
  pidfdSendSignal: ['syscall', 'long', ['long', 'long', 'long', 'void *', 'long']],
  openTree: ['syscall', 'long', ['long', 'long', 'str', 'long']],
  moveMount: ['syscall', 'long', ['long', 'long', 'str', 'long', 'str', 'long']],
} as const;

type NativeName = keyof typeof signatures;

/** Binds the functions. Importing this file takes milliseconds: do it when they are needed. */
export function openNative(): Native {
  // The process itself has the C library's symbols, whichever library that is.
  const library = koffi.load(null);
  const bind = (name: NativeName): ReturnType<typeof library.func> => {
    const [symbol, result, parameters] = signatures[name];
    return library.func(symbol, result, [...parameters]);
  };
  const functions = {} as Record<NativeName, SystemFunction>;
  const asyncFunctions = {} as Record<NativeName, AsyncSystemFunction>;
  for (const name of Object.keys(signatures) as NativeName[]) {
    const bound = bind(name);
    functions[name] = bound as SystemFunction;
    asyncFunctions[name] = bound.async as AsyncSystemFunction;
  }
  const callAsync = (name: NativeName, path: string, args: readonly Argument[]): Promise<number> =>
    new Promise((resolve, reject) => {
      asyncFunctions[name](...args, (error, result) => {
        if (error instanceof Error) reject(error);
        else if (result < 0) reject(systemError(name, koffi.errno(), path));
        else resolve(result);
      });
    });
  return { functions, callAsync, lastErrno: () => koffi.errno() };
}
