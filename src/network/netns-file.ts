import { mkdirSync, symlinkSync } from 'node:fs';
import { mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { isErrno, toEngineError } from '../host/errors.ts';
import type { Libc } from '../host/types.ts';

/** What namespace files need of the C library. */
export type MountCalls = Pick<Libc, 'mount' | 'unmount'>;

const nsfsMagic = 0x6e736673;
const bindFlag = 0x1000;
/** Each is lost to a job that ended just then. */
const MAX_TRIES = 100;

/** Makes the empty file that a namespace will be bound to; Conflict when it is there already. */
export async function createNetnsFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    throw toEngineError(error, 'cannot make a network namespace file');
  }
}

/**
 * Gives a namespace's file a name elsewhere; Conflict where that is taken. A link and no mount: where iproute2 keeps names
 * it mounts the directory on itself, and what is mounted below by then can be neither reached nor removed.
 */
export function nameNetns(path: string, name: string): void {
  for (let left = MAX_TRIES - 1; ; left -= 1) {
    try {
      mkdirSync(dirname(name), { recursive: true });
      symlinkSync(path, name);
      return;
    } catch (error) {
      // The last job to end takes the directory along when it is empty, and may do so now.
      if (!isErrno(error, 'ENOENT') || left === 0)
        throw toEngineError(error, 'cannot name a network namespace');
    }
  }
}

/** True when a namespace is bound to the file. */
export async function holdsNetns(path: string): Promise<boolean> {
  try {
    return (await statfs(path)).type === nsfsMagic;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw toEngineError(error, 'cannot look at a network namespace file');
  }
}

/** Gives a namespace a second name, which is an existing empty file. */
export function bindNetns(libc: MountCalls, source: string, target: string): void {
  libc.mount({ source, target, type: '', flags: bindFlag, data: '' });
}

/** Takes a namespace's name away: the namespace ends with its last process. A missing file is no error. */
export async function removeNetnsFile(libc: MountCalls, path: string): Promise<void> {
  try {
    while (await holdsNetns(path)) libc.unmount(path, { lazy: true });
    await rm(path, { force: true });
  } catch (error) {
    throw toEngineError(error, 'cannot remove a network namespace file');
  }
}

/** Paths of the files in a directory of namespace files; none when there is no such directory. */
export async function listNetnsFiles(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).map((name) => join(directory, name));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw toEngineError(error, 'cannot list network namespace files');
  }
}
