import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { isErrno, toEngineError } from './errors.ts';
import type { Libc } from './types.ts';

const bindFlag = 0x1000;
/** nosuid, nodev, noexec. */
const guardFlags = 2 | 4 | 8;

/** The /dev/shm of containers that others may have too. */
export interface SharedMemory {
  /** Where a container's is, or would be. */
  pathOf(containerId: string): string;
  /** Gives a container one of its own, of at most so many bytes, in place of an earlier one. */
  make(containerId: string, sizeBytes: number): Promise<void>;
  /** Gives a container another one's, in place of an earlier one; false where that has none. */
  share(containerId: string, ownerId: string): Promise<boolean>;
  /** Takes a container's away: who else has it keeps it. One that is not there is no error. */
  remove(containerId: string): Promise<void>;
}

/** Where they are mounted; the directory need not be there yet. */
export interface SharedMemoryOptions {
  readonly libc: Pick<Libc, 'mount' | 'unmount'>;
  readonly directory: string;
}

/** Mounts of this process's mount namespace, which containers are given by bind. */
export function createSharedMemory({ libc, directory }: SharedMemoryOptions): SharedMemory {
  const pathOf = (containerId: string): string => join(directory, containerId);
  const remove = async (containerId: string): Promise<void> => {
    const path = pathOf(containerId);
    while (await isMounted(path)) libc.unmount(path, { lazy: true });
    await rmdir(path).catch((error: unknown) => {
      if (!isErrno(error, 'ENOENT')) throw toEngineError(error, 'cannot remove shared memory');
    });
  };
  const prepare = async (containerId: string): Promise<string> => {
    await remove(containerId);
    await mkdir(pathOf(containerId), { recursive: true, mode: 0o700 });
    return pathOf(containerId);
  };
  return {
    pathOf,
    async make(containerId, sizeBytes) {
      const target = await prepare(containerId);
      mountAt(libc, target, {
        source: 'shm',
        type: 'tmpfs',
        flags: guardFlags,
        data: `mode=1777,size=${sizeBytes}`,
      });
    },
    async share(containerId, ownerId) {
      const source = pathOf(ownerId);
      if (!(await isMounted(source))) return false;
      mountAt(libc, await prepare(containerId), { source, type: '', flags: bindFlag, data: '' });
      return true;
    },
    remove,
  };
}

function mountAt(
  libc: Pick<Libc, 'mount'>,
  target: string,
  call: Omit<Parameters<Libc['mount']>[0], 'target'>,
): void {
  try {
    libc.mount({ ...call, target });
  } catch (error) {
    throw toEngineError(error, 'cannot mount shared memory');
  }
}

/** What is mounted has a device number of its own: the run directory may be a tmpfs, too. */
async function isMounted(path: string): Promise<boolean> {
  try {
    const [own, above] = await Promise.all([stat(path), stat(dirname(path))]);
    return own.dev !== above.dev;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw toEngineError(error, 'cannot look at shared memory');
  }
}
