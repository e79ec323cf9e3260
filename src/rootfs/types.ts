import type { Readable } from 'node:stream';

import type { Mount } from '../containerd/types.ts';
import type { InnerMount } from '../host/types.ts';

/** A container's root directory, held by an O_PATH descriptor: paths are only ever resolved inside of it. */
export interface RootHandle {
  readonly fd: number;
  /** True where the file system is berth's own: no program of a container answers for it, so calls may be made at once. */
  readonly isOwn: boolean;
  /** What the root is called by those who copy it, where it is a volume and not a container's `/`. */
  readonly name?: string;
  /** True where something in it may never answer: only what `docker cp` does can be done there, by another process. */
  readonly mayHang: boolean;
  close(): Promise<void>;
}

/** What happened to a path of a container since it was made. */
export interface PathChange {
  readonly path: string;
  readonly kind: 'modified' | 'added' | 'deleted';
}

/** Docker's X-Docker-Container-Path-Stat. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode bits. */
  readonly mode: number;
  /** RFC 3339 with nanoseconds. */
  readonly mtime: string;
  /** Where a symbolic link leads, as an absolute path inside the root; else empty. */
  readonly linkTarget: string;
}

/** How an archive is unpacked. */
export interface WriteArchiveOptions {
  /** Refuse to replace a directory by a non-directory and the other way round. */
  readonly noOverwriteDirNonDir: boolean;
  /** Keep the archive's owners; otherwise everything belongs to `owner`. */
  readonly copyUidGid: boolean;
  /** Default root. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly signal: AbortSignal;
}

/**
 * Files of containers. NotFound carries the bare path as message, for the caller to put into Docker's words.
 * No call follows a container's link on the host, whatever is renamed or linked meanwhile.
 */
export interface RootfsAccess {
  /** A stopped container's files, mounted where nobody else sees them; `isOwn` (default false) as in the handle. */
  openMounts(mounts: readonly Mount[], options?: { readonly isOwn: boolean }): Promise<RootHandle>;
  /**
   * As a stopped container would see them, with its mounts: mounted where nobody else sees them. Missing targets are made.
   * `isRead` (default false) says that nothing will be written, so that the end of it waits for no disk.
   */
  openView(
    mounts: readonly Mount[],
    inner: readonly InnerMount[],
    options?: { readonly isRead: boolean },
  ): Promise<RootHandle>;
  /**
   * A running process's own view, with its mounts; NotFound when it has ended. Check afterwards that the task still runs.
   * `isConfined` says that nothing in the container can mount anything.
   */
  openProcess(pid: number, options: { readonly isConfined: boolean }): Promise<RootHandle>;
  /** A regular file's bytes, links followed inside the root; undefined when absent, InvalidArgument over `maxBytes`. */
  readFile(root: RootHandle, path: string, maxBytes: number): Promise<Buffer | undefined>;
  /** Facts about the path; a link as last component is described, not followed. */
  stat(root: RootHandle, path: string): Promise<PathStat>;
  /** `docker cp` out of a container: a tar stream named as dockerd does; it fails when a file shrinks under the copy. */
  readArchive(
    root: RootHandle,
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly stat: PathStat; readonly tar: Readable }>;
  /** `docker cp` into a container: unpacks a tar (plain, gzip, zstd where Node can) into an existing directory. */
  writeArchive(target: ArchiveTarget, tar: Readable, options: WriteArchiveOptions): Promise<void>;
  /** Gives a directory the owner and mode of another one; both exist. */
  copyAttributes(from: ArchiveTarget, to: ArchiveTarget): Promise<void>;
  /** What was changed of the snapshot's image, a directory before what is in it; the iteration fails with the signal. */
  readChanges(
    mounts: readonly Mount[],
    options: { readonly mountPoints: ReadonlySet<string>; readonly signal: AbortSignal },
  ): AsyncIterable<PathChange>;
  /** A tar of all the snapshot's files, without what is mounted over them; the caller closes it when the tar is through. */
  exportTree(
    mounts: readonly Mount[],
    signal: AbortSignal,
  ): Promise<{ readonly tar: Readable; close(): Promise<void> }>;
  /** A layer of what was changed of the snapshot's image, with whiteouts; the caller closes it when the tar is through. */
  exportChanges(
    mounts: readonly Mount[],
    options: {
      readonly mountPoints: ReadonlySet<string>;
      readonly signal: AbortSignal;
      /** Seconds since 1970 that no packed time is later than; undefined: as they are. */
      readonly latestSeconds?: number | undefined;
    },
  ): Promise<{ readonly tar: Readable; close(): Promise<void> }>;
  /** Makes the directory and its missing parents, owned by root. */
  mkdirAll(root: RootHandle, path: string, mode: number): Promise<void>;
}

/** A directory of a container that an archive goes to. */
export interface ArchiveTarget {
  readonly root: RootHandle;
  readonly path: string;
}
