import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { isErrno, toEngineError } from './errors.ts';
import {
  bindNamespace,
  createNamespaceFile,
  listNamespaceFiles,
  removeNamespaceFile,
} from './namespace-file.ts';
import { isInCgroup } from './process-cgroup.ts';
import type { Libc } from './types.ts';

/** Kinds of namespaces that a container can have another one's of. */
export type JoinedKind = 'pid' | 'ipc';

// The kernel's numbers for the namespaces that it starts with (include/linux/proc_ns.h): they never change, and the first
// process, which is in them, may not be looked at from a container.
const firstInodes: Readonly<Record<JoinedKind, number>> = { pid: 0xeffffffc, ipc: 0xefffffff };

/** Who is to join a namespace, and of which kind. */
export interface PinPlace {
  /** The container's id. */
  readonly ownerId: string;
  readonly kind: JoinedKind;
}

/** Names for the namespaces of running containers, for as long as the runtime needs to enter them. */
export interface NamespacePins {
  /** Where the name is, or would be. */
  pathOf(place: PinPlace): string;
  /**
   * Names the namespace of a process: `ended` where no process of that number is in a cgroup of that name, `machine` where
   * it is in the machine's own; then nothing is named. The caller unpins.
   */
  pin(
    place: PinPlace,
    process: { readonly pid: number; readonly cgroupName: string },
  ): Promise<'pinned' | 'ended' | 'machine'>;
  /** Takes the name away; one that is not there is no error. */
  unpin(place: PinPlace): Promise<void>;
  /** Takes all names away: those that a crash has left. */
  clear(): Promise<void>;
}

/** What names are made with, and the directory of their files. */
export interface NamespacePinsOptions {
  readonly libc: Pick<Libc, 'mount' | 'unmount' | 'signalIf'>;
  readonly directory: string;
}

/** Names below a directory of the job's; it need not be there yet. */
export function createNamespacePins({ libc, directory }: NamespacePinsOptions): NamespacePins {
  const pathOf = ({ ownerId, kind }: PinPlace): string => join(directory, `${ownerId}-${kind}`);
  return {
    pathOf,
    async pin(place, process) {
      const path = pathOf(place);
      await removeNamespaceFile(libc, path);
      await createNamespaceFile(path);
      const outcome = bindOf(libc, path, { kind: place.kind, process });
      if (outcome !== 'pinned') await removeNamespaceFile(libc, path);
      return outcome;
    },
    unpin: (place) => removeNamespaceFile(libc, pathOf(place)),
    async clear() {
      for (const path of await listNamespaceFiles(directory)) await removeNamespaceFile(libc, path);
    },
  };
}

function bindOf(
  libc: NamespacePinsOptions['libc'],
  path: string,
  wanted: Wanted,
): 'pinned' | 'ended' | 'machine' {
  const fd = openNamespace(libc, wanted);
  if (fd === undefined) return 'ended';
  try {
    if (isOfMachine(fd, wanted.kind)) return 'machine';
    bindNamespace(libc, `/proc/self/fd/${fd}`, path);
    return 'pinned';
  } catch (error) {
    throw toEngineError(error, 'cannot name a namespace');
  } finally {
    closeSync(fd);
  }
}

interface Wanted {
  readonly kind: JoinedKind;
  readonly process: { readonly pid: number; readonly cgroupName: string };
}

/**
 * The process is held by a descriptor from before the first look to after the last: signal 0 reaches it only then, so its
 * number was nobody else's meanwhile.
 */
function openNamespace(libc: Pick<Libc, 'signalIf'>, { kind, process }: Wanted): number | undefined {
  const { pid, cgroupName } = process;
  const opened: number[] = [];
  const closeAll = (): void => {
    opened.splice(0).forEach((fd) => closeSync(fd));
  };
  try {
    const isSame = libc.signalIf(pid, 0, () => {
      if (!isInCgroup(pid, cgroupName)) return false;
      opened.push(openSync(`/proc/${pid}/ns/${kind}`, 'r'));
      return true;
    });
    if (isSame) return opened.pop();
  } catch (error) {
    if (!isErrno(error, 'ESRCH', 'ENOENT')) {
      closeAll();
      throw toEngineError(error, 'cannot look at a namespace');
    }
  }
  closeAll();
  return undefined;
}

/** Ours, and the machine's first: berth itself may run in a container. */
function isOfMachine(fd: number, kind: JoinedKind): boolean {
  const { dev, ino } = fstatSync(fd);
  const own = statSync(`/proc/self/ns/${kind}`);
  return (own.dev === dev && own.ino === ino) || ino === firstInodes[kind];
}
