import { closeSync, constants, openSync } from 'node:fs';
import type { Native } from './native.ts';
import type { Libc } from './types.ts';

type Check = (syscall: string, path: string, result: number) => number;

const pathOnly = 0o10000000;
const openTreeNumber = 428;
const openTreeClone = 1;
const openCloexec = 0o2000000;
const atEmptyPath = 0x1000;
const atRecursive = 0x8000;
const cloneFs = 0x200;
const cloneNewns = 0x20000;

/** Binds the call that copies a held file or directory, of whatever mount namespace, as a detached mount. */
export function createTreeCloner(native: Native, check: Check): Pick<Libc, 'cloneTree'> {
  const { functions } = native;
  return {
    cloneTree(fd, { recursive, namespaceFd }) {
      const flags = openTreeClone | openCloexec | atEmptyPath | (recursive ? atRecursive : 0);
      const clone = (): number =>
        check('open_tree', `fd ${fd}`, functions.openTree(openTreeNumber, fd, '', flags));
      return namespaceFd === undefined ? clone() : within({ native, check }, namespaceFd, clone);
    },
  };
}

/**
 * The kernel copies a mount only for a thread in its own namespace. This thread goes there for one call, which takes no
 * path, and nothing else runs meanwhile: the other threads of the process are never there.
 */
function within<T>(
  { native, check }: { readonly native: Native; readonly check: Check },
  namespaceFd: number,
  action: () => T,
): T {
  const { functions } = native;
  const held: number[] = [];
  const hold = (path: string, flags: number): number => {
    const fd = openSync(path, flags);
    held.push(fd);
    return fd;
  };
  try {
    const home = hold('/proc/thread-self/ns/mnt', constants.O_RDONLY);
    const root = hold('/', pathOnly | constants.O_DIRECTORY);
    const cwd = hold('.', pathOnly | constants.O_DIRECTORY);
    // A thread that shares its root directory with others may not enter a mount namespace.
    check('unshare', '', functions.unshare(cloneFs));
    check('setns', `fd ${namespaceFd}`, functions.setns(namespaceFd, cloneNewns));
    try {
      return action();
    } finally {
      const isBack =
        functions.setns(home, cloneNewns) === 0 &&
        functions.fchdir(root) === 0 &&
        functions.chroot('.') === 0 &&
        functions.fchdir(cwd) === 0;
      // In somebody else's files every path would mean something else: better no process than such a one.
      if (!isBack) process.abort();
    }
  } finally {
    held.forEach((fd) => closeSync(fd));
  }
}
