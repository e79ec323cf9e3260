import { mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { isErrno, toEngineError } from './errors.ts';
import type { Libc } from './types.ts';

/** What namespace files need of the C library. */
export type MountCalls = Pick<Libc, 'mount' | 'unmount'>;

const nsfsMagic = 0x6e736673;
const bindFlag = 0x1000;

/** Makes the empty file that a namespace will be bound to; Conflict when it is there already. */
export async function createNamespaceFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    throw toEngineError(error, 'cannot make a namespace file');
  }
}

/** True when a namespace is bound to the file. */
export async function holdsNamespace(path: string): Promise<boolean> {
  try {
    return (await statfs(path)).type === nsfsMagic;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw toEngineError(error, 'cannot look at a namespace file');
  }
}

/** Gives a namespace a second name, which is an existing empty file. */
export function bindNamespace(libc: MountCalls, source: string, target: string): void {
  libc.mount({ source, target, type: '', flags: bindFlag, data: '' });
}

/** Takes a namespace's name away: the namespace ends with its last process. A missing file is no error. */
export async function removeNamespaceFile(libc: MountCalls, path: string): Promise<void> {
  try {
    while (await holdsNamespace(path)) libc.unmount(path, { lazy: true });
    await rm(path, { force: true });
  } catch (error) {
    throw toEngineError(error, 'cannot remove a namespace file');
  }
}

/** Paths of the files in a directory of namespace files; none when there is no such directory. */
export async function listNamespaceFiles(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).map((name) => join(directory, name));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw toEngineError(error, 'cannot list namespace files');
  }
}
