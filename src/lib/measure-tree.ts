import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Bytes of all files below a directory; what goes meanwhile counts nothing. Paths are walked by name, so this is for
 * trees that nobody can put links into whom they would lead somewhere: sizes are all that is told.
 */
export async function measureTree(path: string): Promise<number> {
  const pending = [path];
  let sizeBytes = 0;
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    const stats = await lstat(one).catch(() => undefined);
    if (stats?.isDirectory() === true) {
      const directory = one;
      const names = await readdir(directory).catch(() => []);
      pending.push(...names.map((name) => join(directory, name)));
    } else sizeBytes += stats?.size ?? 0;
  }
  return sizeBytes;
}
