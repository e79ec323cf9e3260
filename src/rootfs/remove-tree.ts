import { constants } from 'node:os';

import { isErrno } from '../host/errors.ts';
import { systemError } from '../host/system-error.ts';
import type { Contained, ContainedFile } from './contained.ts';

/**
 * Removes a name and all below it; EBUSY for a mount point, which the kernel would take from a container that is not in
 * our mount namespace. Each step goes through a held directory, so a link put there meanwhile is only unlinked.
 */
export async function removeTree(contained: Contained, parent: ContainedFile, name: Buffer): Promise<void> {
  const { calls } = contained;
  const path = Buffer.concat([Buffer.from(`${parent.path}/`), name]);
  if (await contained.isMountPoint(parent, name))
    throw systemError('unlinkat', constants.errno.EBUSY, name.toString());
  try {
    await calls.unlink(path);
    return;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    if (!isErrno(error, 'EISDIR', 'EPERM')) throw error;
  }
  const directory = await contained.openBelow(parent, name);
  try {
    for (const child of await calls.readdir(directory.path)) {
      await calls.yieldTurn();
      await removeTree(contained, directory, child);
    }
  } finally {
    directory.close();
  }
  await calls.rmdir(path);
}
