import { isErrno } from '../host/errors.ts';
import type { Contained, ContainedFile } from './contained.ts';
import type { IgnoredFiles } from './types-build.ts';
import { walkTree } from './walk-tree.ts';

/** Takes what is ignored out of a directory; see BuildFiles.removeIgnored. */
export async function removeIgnored(
  contained: Contained,
  from: { readonly path: string; readonly ignored: IgnoredFiles; readonly signal: AbortSignal },
): Promise<void> {
  const { ignored, signal } = from;
  const top = await contained.openDirectory(from.path);
  const directories: Buffer[] = [];
  try {
    for await (const entry of walkTree(contained, top, { signal, isExcluded: () => false })) {
      if (!ignored.isIgnored(entry.path.toString())) continue;
      if (entry.stats.isDirectory()) directories.push(entry.path);
      else await contained.calls.unlink(entry.heldPath);
    }
    // What was in them is gone or stays; those with something in them stay too. The innermost first.
    for (const directory of directories.reverse()) await removeIfEmpty(contained, top, directory);
  } finally {
    top.close();
  }
}

async function removeIfEmpty(contained: Contained, top: ContainedFile, path: Buffer): Promise<void> {
  const at = path.lastIndexOf('/') + 1;
  const parent = at === 0 ? top : await contained.openBelow(top, path.subarray(0, at));
  try {
    await contained.calls.rmdir(Buffer.concat([Buffer.from(`${parent.path}/`), path.subarray(at)]));
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  } finally {
    if (at !== 0) parent.close();
  }
}
