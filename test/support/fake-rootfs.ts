import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mount } from '../../src/containerd/types.ts';
import { EngineError } from '../../src/errors.ts';
import type { DetachedMount, HostMounts, Libc } from '../../src/host/types.ts';
import type { Guard } from '../../src/rootfs/guarded-files.ts';
import type { LookUpProcesses } from '../../src/rootfs/look-up-processes.ts';
import { createRootfsAccess } from '../../src/rootfs/rootfs-access.ts';
import type { RootfsAccess } from '../../src/rootfs/types.ts';
import type { ContainerStore } from '../../src/state/container-store.ts';
import { partOf } from './records.ts';

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n';

/** The real access to files, on plain directories in the place of snapshots and of running processes' roots. */
export function directoriesAsRoots(libc: Libc, directory: string, containers: ContainerStore): RootfsAccess {
  const openRoot = async (containerId: string): ReturnType<HostMounts['openDetached']> => {
    const path = await makeRoot(directory, containerId);
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    return { fd, close: () => closeSync(fd) };
  };
  const openOwn = (path: string): Promise<DetachedMount> => {
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    return Promise.resolve({ fd, close: () => closeSync(fd) });
  };
  // A directory of the job's own is what it is; a snapshot is only a name here.
  const mounts = partOf<HostMounts>({
    openDetached: (list) => {
      const { type = '', source = '' } = list[0] ?? {};
      const isOwn = type === 'bind' && source.startsWith(`${directory}/`);
      return isOwn ? openOwn(source) : openRoot(snapshotOf(list));
    },
  });
  // Plain directories never hang, and nothing is mounted in them.
  const guard = partOf<Guard>({ processes: partOf<LookUpProcesses>({}) });
  const access = createRootfsAccess({ libc, mounts, guard });
  return {
    ...access,
    openView: (list) => access.openMounts(list),
    async openProcess(pid) {
      const owner = containers.all().find(({ record: { state } }) => 'pid' in state && state.pid === pid);
      if (!owner) throw new EngineError('NotFound', `no process ${pid}`);
      const root = await openRoot(owner.id);
      return { fd: root.fd, isOwn: false, mayHang: false, close: async () => root.close() };
    },
  };
}

function snapshotOf(mounts: readonly Mount[]): string {
  const [, key] = /^\/fake\/snapshots\/([^/]+)\/fs$/.exec(mounts[0]?.source ?? '') ?? [];
  if (key === undefined) throw new Error(`not a snapshot of the fake: ${JSON.stringify(mounts)}`);
  return decodeURIComponent(key);
}

/** Makes a container's root with a passwd file, unless it is there; answers its path. */
export async function makeRoot(directory: string, containerId: string): Promise<string> {
  const root = join(directory, 'roots', containerId);
  const made = await mkdir(join(root, 'etc'), { recursive: true });
  if (made !== undefined) await writeFile(join(root, 'etc/passwd'), PASSWD);
  return root;
}
