import { posix } from 'node:path';

import { isErrno } from '../host/errors.ts';
import type { Contained, ContainedFile } from './contained.ts';

/** Opens the directory of a normalized path, made with its parents where it is missing. */
export async function ensureDirectory(
  contained: Pick<Contained, 'openDirectory' | 'calls'>,
  path: string,
  mode: number,
): Promise<ContainedFile> {
  try {
    return await contained.openDirectory(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || path === '/') throw error;
  }
  const parent = await ensureDirectory(contained, posix.dirname(path), mode);
  try {
    await contained.calls.mkdir(`${parent.path}/${posix.basename(path)}`, mode);
  } catch (error) {
    // Made by the container in between; or a link that leads nowhere, which the next step reports.
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    parent.close();
  }
  return contained.openDirectory(path);
}
