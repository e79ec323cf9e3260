import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, readdir, rmdir, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { EngineError } from '../errors.ts';
import { isErrno, toEngineError } from '../host/errors.ts';
import type { HostMounts, Libc, MountEntry } from '../host/types.ts';
import type { BindPlace, PinnedSource, StagePlace } from './types-binds.ts';

const pathOnly = 0o10000000;
const mountRecursive = 1 << 14;
const mountPrivate = 1 << 18;
const maxPasses = 20;
const containerIdPattern = /^[0-9a-f]{64}$/;

/** As mountinfo names the file systems in which the kernel shows itself. */
const kernelFileSystems: ReadonlySet<string> = new Set([
  'proc',
  'sysfs',
  'cgroup',
  'cgroup2',
  'devpts',
  'mqueue',
  'debugfs',
  'tracefs',
  'securityfs',
  'bpf',
  'configfs',
  'pstore',
  'efivarfs',
  'nsfs',
  'binfmt_misc',
  'selinuxfs',
  'fusectl',
]);

/** Where sources are staged, and the calls to do it with. */
export interface Staging {
  readonly libc: Libc;
  readonly mounts: HostMounts;
  /** Only root can reach it. */
  readonly directory: string;
}

/** Mounts a pinned source at its container's place; see BindAccess.stage. */
export async function stageSource(staging: Staging, source: PinnedSource, place: BindPlace): Promise<string> {
  const target = placeOf(staging, place);
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    if (source.kind === 'directory') await mkdir(target, { mode: 0o700 });
    else await writeFile(target, '', { flag: 'wx', mode: 0o600 });
    attach(staging.libc, {
      fd: source.fd,
      namespaceFd: source.namespaceFd,
      target,
      recursive: place.isRecursive,
    });
    if (place.isRecursive) await dropKernelFileSystems(staging, target);
    return target;
  } catch (error) {
    throw toEngineError(error, 'cannot mount the bind source');
  }
}

/** Path of a container's place, mounted or not. */
export function placeOf({ directory }: Staging, { containerId, index }: StagePlace): string {
  return join(directory, containerId, String(index));
}

/** Mounts the socket at the path anew. Whoever has mounted an earlier one from there keeps that. */
export async function stageSocketAt(staging: Staging, socketPath: string, target: string): Promise<void> {
  try {
    await mkdir(staging.directory, { recursive: true, mode: 0o700 });
    await staging.mounts.unmountBelow(target);
    await writeFile(target, '', { mode: 0o600 });
    const fd = openSync(socketPath, pathOnly | constants.O_NOFOLLOW);
    try {
      attach(staging.libc, { fd, namespaceFd: undefined, target, recursive: false });
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw toEngineError(error, 'cannot mount the Docker socket');
  }
}

interface Attachment {
  readonly fd: number;
  readonly namespaceFd: number | undefined;
  readonly target: string;
  readonly recursive: boolean;
}

function attach(libc: Libc, { fd, namespaceFd, target, recursive }: Attachment): void {
  const tree = libc.cloneTree(fd, { recursive, namespaceFd });
  try {
    libc.moveMount(tree, target);
  } finally {
    closeSync(tree);
  }
  // A copy stays in its original's peer group: what is mounted in one would show up in the other.
  makePrivate(libc, target);
}

/** Mounts and unmounts below the target are seen nowhere else, and the other way round. */
export function makePrivate(libc: Libc, target: string): void {
  libc.mount({ source: '', target, type: '', flags: mountPrivate | mountRecursive, data: '' });
}

/**
 * What the runtime has masked or made read-only below /proc and /sys holds only for the container that these were mounted
 * for, so no sibling gets them with the directory they are in. Under each of them more may be mounted.
 */
async function dropKernelFileSystems({ libc, mounts }: Staging, target: string): Promise<void> {
  const find = async (): Promise<readonly MountEntry[]> =>
    (await mounts.list()).filter(
      ({ mountPoint, fsType }) => mountPoint.startsWith(`${target}/`) && kernelFileSystems.has(fsType),
    );
  let found = await find();
  for (let pass = 0; found.length > 0; pass += 1) {
    if (pass === maxPasses) throw new EngineError('Internal', 'cannot unmount below the bind source');
    for (const { mountPoint } of found) {
      try {
        libc.unmount(mountPoint, { lazy: true });
      } catch (error) {
        // Gone with the one that it lay on.
        if (!isErrno(error, 'EINVAL', 'ENOENT')) throw error;
      }
    }
    found = await find();
  }
}

/** See BindAccess.unstage. Nothing is ever removed recursively: what is still mounted would be emptied. */
export async function unstageContainer(
  { mounts, directory: top }: Staging,
  containerId: string,
): Promise<void> {
  const directory = join(top, containerId);
  const names = await readdirOrNothing(directory);
  if (!names) return;
  await mounts.unmountBelow(directory);
  if ((await mounts.list()).some(({ mountPoint }) => mountPoint.startsWith(`${directory}/`)))
    throw new EngineError('Conflict', 'a bind of the container cannot be unmounted');
  try {
    for (const name of names) await removePlace(join(directory, name));
    await rmdir(directory);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw toEngineError(error, 'cannot remove the place of a bind');
  }
}

/** See BindAccess.clearPlace. */
export async function clearPlaceOf(staging: Staging, place: StagePlace): Promise<void> {
  const target = placeOf(staging, place);
  await staging.mounts.unmountBelow(target);
  try {
    await removePlace(target);
  } catch (error) {
    throw toEngineError(error, 'cannot remove the place of a bind');
  }
}

async function removePlace(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (isErrno(error, 'ENOTDIR')) await unlink(path);
    else if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** See BindAccess.listStaged. */
export async function listStagedContainers({ directory }: Staging): Promise<readonly string[]> {
  return ((await readdirOrNothing(directory)) ?? []).filter((name) => containerIdPattern.test(name));
}

async function readdirOrNothing(path: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw toEngineError(error, 'cannot list the binds');
  }
}

/** See BindAccess.requireStaged. */
export async function requireStagedPaths(
  { mounts, directory }: Staging,
  paths: readonly string[],
): Promise<void> {
  const wanted = paths.filter((path) => path.startsWith(`${directory}/`));
  if (wanted.length === 0) return;
  const mounted = new Set((await mounts.list()).map(({ mountPoint }) => mountPoint));
  // Without this the container would be shown berth's own empty placeholder.
  if (!wanted.every((path) => mounted.has(path)))
    throw new EngineError(
      'Internal',
      'a bind of the container is not mounted any more: create the container again',
    );
}
