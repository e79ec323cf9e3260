import { posix } from 'node:path';

import type { Libc } from '../host/types.ts';
import type { Contained, ContainedFile } from './contained.ts';
import { ensureDirectory } from './make-directory.ts';

const impliedDirectoryMode = 0o755;

/** The directory that an archive goes to, and what works inside of it. */
export interface UnpackTarget {
  readonly libc: Libc;
  readonly contained: Contained;
  /** A normalized path; links in it are followed inside the root. */
  readonly path: string;
}

/** Opens the directory that an entry is in, missing parents made; the last one stays open for its neighbours. */
export interface ParentCache {
  /** `path` is absolute inside the root. The answer is the cache's to close. */
  (path: string): Promise<ContainedFile>;
  /** Forgets what is held: a directory may have been replaced. */
  close(): void;
}

/** Makes a cache that holds nothing yet. */
export function createParentCache({ contained }: UnpackTarget): ParentCache {
  let last: { readonly path: string; readonly file: ContainedFile } | undefined;
  const close = (): void => {
    last?.file.close();
    last = undefined;
  };
  const open = async (path: string): Promise<ContainedFile> => {
    const directory = posix.dirname(path);
    if (last?.path === directory) return last.file;
    close();
    const file = await ensureDirectory(contained, directory, impliedDirectoryMode);
    last = { path: directory, file };
    return file;
  };
  return Object.assign(open, { close });
}
