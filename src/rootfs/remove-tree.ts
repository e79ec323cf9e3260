import { readdir, rmdir, unlink } from 'node:fs/promises';

import { isErrno } from '../host/errors.ts';
import type { Contained, ContainedFile } from './contained.ts';

/** Removes a name and all below it. Each step goes through a held directory, so a link put there meanwhile is only unlinked. */
export async function removeTree(contained: Contained, parent: ContainedFile, name: Buffer): Promise<void> {
  const path = Buffer.concat([Buffer.from(`${parent.path}/`), name]);
  try {
    await unlink(path);
    return;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    if (!isErrno(error, 'EISDIR', 'EPERM')) throw error;
  }
  const directory = await contained.openBelow(parent, name);
  try {
    for (const child of await readdir(directory.path, { encoding: 'buffer' }))
      await removeTree(contained, directory, child);
  } finally {
    directory.close();
  }
  await rmdir(path);
}
