import { mkdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobStore } from '../../containerd/job-store.ts';
import type { Mount } from '../../containerd/types.ts';
import { EngineError, isErrorKind } from '../../errors.ts';

const DIRECTORIES = ['dev/pts', 'dev/shm', 'proc', 'sys', 'etc'];
/** What is mounted on, and what programs tell a container by. */
const FILES = ['.dockerenv', 'dev/console', 'etc/hostname', 'etc/hosts', 'etc/resolv.conf'];
const MOUNT_TABLE = 'etc/mtab';
const MODE = 0o755;

/** Where the layer of a job is kept. */
export interface InitLayerPlace {
  readonly store: JobStore;
  /** Holds it until the job ends. */
  readonly leaseId: string;
  /** Name of its snapshot: no other job's. */
  readonly key: string;
}

/**
 * Makes what every container of the job begins with, whatever its image has: dockerd's init layer. Answers its directory;
 * one that is there is used again.
 */
export async function makeInitLayer({ store, leaseId, key }: InitLayerPlace): Promise<string> {
  const snapshots = store.withLease(leaseId).snapshots;
  const [mount] = await snapshots.prepare({ key, parent: '' }).catch((error: unknown) => {
    if (!isErrorKind(error, 'Conflict')) throw error;
    return snapshots.mounts(key);
  });
  if (mount?.type !== 'bind') throw new EngineError('Internal', `snapshot ${key} is no directory`);
  const { source: directory } = mount;
  const last = join(directory, MOUNT_TABLE);
  // Containers that run see it already.
  if (await isLink(last)) return directory;
  for (const path of DIRECTORIES) await mkdir(join(directory, path), { recursive: true, mode: MODE });
  for (const path of FILES) await writeFile(join(directory, path), '', { mode: MODE });
  await symlink('/proc/mounts', last);
  return directory;
}

function isLink(path: string): Promise<boolean> {
  return readlink(path).then(
    () => true,
    () => false,
  );
}

/**
 * A container's root with the init layer at the very bottom, so that the directories of its image keep their owners and
 * modes. A root without layers has no place for it.
 */
export function onInitLayer(mounts: readonly Mount[], directory: string): readonly Mount[] {
  const extend = (option: string): string =>
    option.startsWith('lowerdir=') ? `${option}:${directory}` : option;
  return mounts.map((mount) =>
    mount.type === 'overlay' ? { ...mount, options: mount.options.map(extend) } : mount,
  );
}
