import type { Readable } from 'node:stream';

import type { ArchiveTarget } from './types.ts';

/** A file that a build names, with the links on the way to it followed inside the root. */
export interface FoundFile {
  /** Absolute inside the root and without links. */
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'other';
}

/** Which files of a tree count, and when to stop. */
export interface TreeOptions {
  /** True for what is left out; paths are relative to the top, and what is below a directory left out goes with it. */
  readonly isExcluded: (path: string) => boolean;
  readonly signal: AbortSignal;
}

/** A file below a directory. */
export interface ListedFile {
  /** Relative to the directory. */
  readonly path: string;
  readonly type: 'directory' | 'file' | 'symlink' | 'fifo' | 'character-device' | 'block-device';
  /** Permissions with the set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeNs: number;
  /** Empty for what is no symbolic link. */
  readonly linkTarget: string;
  readonly major: number;
  readonly minor: number;
}

/** Which paths below a directory are to be removed. */
export interface IgnoredFiles {
  isIgnored(path: string): boolean;
}

/** Files to be copied; both paths are links-free, as `find` answers them. */
export interface CopyFiles extends TreeOptions {
  readonly from: ArchiveTarget;
  /** What the file or the directory is to be; what is there already is joined or replaced. Parents exist. */
  readonly to: ArchiveTarget;
  /** Undefined: each file keeps its own. */
  readonly owner: FileOwner | undefined;
  /** Permission bits of a file or directory, of those that it has; undefined: each keeps its own. */
  readonly mode: ((current: number, isDirectory: boolean) => number) | undefined;
}

/** Who a file belongs to. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Files of build contexts and images, from one to the other. As with RootfsAccess, nothing is ever followed on the host;
 * NotFound carries the path as message.
 */
export interface BuildFiles {
  /** Undefined where nothing is there. */
  find(target: ArchiveTarget): Promise<FoundFile | undefined>;
  /** Where a path leads when links in it are followed and what is missing is taken as it is written. */
  resolve(target: ArchiveTarget): Promise<string>;
  /** Paths of everything below a directory, relative to it, a directory before what is in it. No link is followed. */
  list(target: ArchiveTarget, signal: AbortSignal): AsyncIterable<string>;
  /** As list, with the facts of each file; sockets are left out. */
  listFiles(target: ArchiveTarget, signal: AbortSignal): AsyncIterable<ListedFile>;
  /** The bytes of a regular file. */
  openFile(target: ArchiveTarget): Promise<Readable>;
  /** Removes what is ignored below a directory; a directory stays while something in it does. */
  removeIgnored(target: ArchiveTarget, ignored: IgnoredFiles, signal: AbortSignal): Promise<void>;
  /** Tells whether two trees are alike: their names, contents, types, modes and owners, but not their times. */
  hash(target: ArchiveTarget, options: TreeOptions): Promise<string>;
  copy(copying: CopyFiles): Promise<void>;
  /** Makes a directory and its missing parents, all with this owner and mode 755. */
  makeDirectory(target: ArchiveTarget, owner: FileOwner): Promise<void>;
  /** The bytes of a file that is a tar, compressed or not; undefined for any other file. */
  openArchive(target: ArchiveTarget): Promise<Readable | undefined>;
}
