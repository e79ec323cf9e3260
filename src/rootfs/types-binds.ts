import type { Mount } from '../containerd/types.ts';

/** What a bind's source is looked up by. */
export interface BindLookup {
  /** Absolute and clean, as the job sees it. */
  readonly path: string;
  /** Makes the directory, with its parents, where nothing is there. */
  readonly create: boolean;
  /** A process of the job container; without one the path is of the workspaces. */
  readonly pid: number | undefined;
}

/** A file or directory held by descriptors: renaming or replacing its path changes nothing any more. */
export interface PinnedSource {
  /** O_PATH. */
  readonly fd: number;
  /** Mount namespace that it is in, where that is not ours. */
  readonly namespaceFd: number | undefined;
  /** `socket` is the job's own Docker socket; every other one is refused. */
  readonly kind: 'directory' | 'file' | 'socket';
  close(): void;
}

/** Where something is mounted for a container. */
export interface StagePlace {
  readonly containerId: string;
  /** Which of the container's staged mounts it is. */
  readonly index: number;
}

/** Where a pinned source goes. */
export interface BindPlace extends StagePlace {
  /** With what is mounted below the source. */
  readonly isRecursive: boolean;
}

/**
 * Sources of bind mounts. They are looked up in the job's view, pinned, and mounted where only root can reach them: that
 * place alone is what a runtime is told. Errors are in words for the client and name the path that was asked for.
 */
export interface BindAccess {
  /** Place of the job's own Docker socket, once `stageSocket` was called. */
  readonly socketPath: string;
  /** NotFound; PermissionDenied for what the job does not see; InvalidArgument for what cannot be bound. The caller closes. */
  pin(lookup: BindLookup): Promise<PinnedSource>;
  /** Mounts a pinned source and answers the path. It stays, whatever becomes of this process, until `unstage`. */
  stage(source: PinnedSource, place: BindPlace): Promise<string>;
  /** Holds what a path leads to inside a directory of berth's own, links followed in there only; an empty one is the directory. */
  pinWithin(directory: string, subpath: string): Promise<PinnedSource>;
  /** Path of a place, whether something is staged there or not. */
  placeOf(place: StagePlace): string;
  /** Takes away what is staged at one place; nothing there is no error. */
  clearPlace(place: StagePlace): Promise<void>;
  /** Mounts a read-only snapshot's files at a place, and answers the path; it stays as what `stage` mounts does. */
  stageImage(view: readonly Mount[], place: StagePlace): Promise<string>;
  /** Mounts the Docker socket that is served now in the place of an earlier one. */
  stageSocket(): Promise<void>;
  /** Takes a container's binds away; Conflict while one of them cannot be unmounted. Idempotent. */
  unstage(containerId: string): Promise<void>;
  /** Ids of containers that have staged binds. */
  listStaged(): Promise<readonly string[]>;
  /** Internal when something that was staged is not mounted any more. Paths that are not staging ones are left alone. */
  requireStaged(paths: readonly string[]): Promise<void>;
}
