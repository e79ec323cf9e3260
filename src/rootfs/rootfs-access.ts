import { close, constants, type Stats } from 'node:fs';
import { chmod, chown, open, readlink, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

import { EngineError } from '../errors.ts';
import { toEngineError } from '../host/errors.ts';
import type { HostMounts, Libc } from '../host/types.ts';
import { createChangeReader } from './change-views.ts';
import { createContained, normalizePath, type Contained } from './contained.ts';
import { createGuardedFiles, openGuardedView, type Guard } from './guarded-files.ts';
import { createLocalFiles, inWords } from './local-files.ts';
import { ensureDirectory } from './make-directory.ts';
import { openView } from './open-view.ts';
import { splitLayers } from './overlay-layers.ts';
import { packTree } from './read-archive.ts';
import type { RootfsAccess, RootHandle } from './types.ts';

const pathOnly = 0o10000000;
const closeLater = promisify(close);

/** What the access is made with. */
export interface RootfsAccessOptions {
  readonly libc: Libc;
  readonly mounts: HostMounts;
  readonly guard: Guard;
}

/** Makes the access to containers' files. */
export function createRootfsAccess({ libc, mounts, guard }: RootfsAccessOptions): RootfsAccess {
  const within = (root: RootHandle): Contained => createContained(libc, root);
  const openRoot: RootfsAccess['openMounts'] = async (list, { isOwn } = { isOwn: false }) =>
    handleOf((await mounts.openDetached(list)).fd, { isOwn, mayHang: false });
  return {
    ...createGuardedFiles(createLocalFiles(libc), guard.processes),
    openMounts: openRoot,
    async openView(list, inner, { isRead } = { isRead: false }) {
      const view = { mounts: list, inner, isRead };
      const sources = inner.map(({ source }) => source);
      if (await guard.trust.areQuick(sources)) {
        const isOwn = await guard.trust.areOwn(sources);
        return handleOf((await openView({ libc, mounts }, view)).fd, { isOwn, mayHang: false });
      }
      return handleOf(await openGuardedView({ libc, guard }, view), { isOwn: false, mayHang: true });
    },
    async openProcess(pid, { isConfined }) {
      const fd = await openProcessRoot(libc, pid);
      const mayHang = !(isConfined && (await guard.trust.isQuickFor(pid)));
      return handleOf(fd, { isOwn: false, mayHang });
    },
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

function handleOf(fd: number, facts: Pick<RootHandle, 'isOwn' | 'mayHang'>): RootHandle {
  return {
    ...facts,
    fd,
    // The last descriptor of a file system that could be written to waits for all of its disk's writes: not on our thread.
    close: () => closeLater(fd),
  };
}

// All through one descriptor of the process's directory: a later process with the same pid is not looked into.
async function openProcessRoot(libc: Libc, pid: number): Promise<number> {
  try {
    const proc = await open(`/proc/${pid}`, pathOnly | constants.O_DIRECTORY);
    try {
      const namespace = await readlink(`/proc/self/fd/${proc.fd}/ns/mnt`);
      if (namespace === (await readlink('/proc/self/ns/mnt'))) {
        throw new EngineError('Conflict', `process ${pid} is not in a container`);
      }
      const flags = pathOnly | constants.O_DIRECTORY;
      return await libc.openat2Async(proc.fd, 'root', { flags, resolve: [] });
    } finally {
      await proc.close();
    }
  } catch (error) {
    throw toEngineError(error, `cannot look into process ${pid}`);
  }
}
