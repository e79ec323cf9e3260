import type { Descriptor, Labels, Mount } from './types-core.ts';

/** State of a snapshot: `active` is writable, `committed` can be a parent. */
export type SnapshotKind = 'view' | 'active' | 'committed' | 'unknown';

/** A snapshot's record. */
export interface SnapshotInfo {
  readonly name: string;
  readonly parent: string;
  readonly kind: SnapshotKind;
  readonly labels: Labels;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a snapshot is made from; `parent` empty = an empty file system. */
export interface NewSnapshot {
  readonly key: string;
  readonly parent: string;
  readonly labels?: Labels;
}

/** Snapshots of the one snapshotter this object was made for. */
export interface Snapshots {
  /** Name of the snapshotter, e.g. `overlayfs`. */
  readonly snapshotter: string;
  /** Makes a writable snapshot; lost to garbage collection without a lease, label or container that refers to it. */
  prepare(snapshot: NewSnapshot): Promise<readonly Mount[]>;
  /** Makes a read-only snapshot. */
  view(snapshot: NewSnapshot): Promise<readonly Mount[]>;
  /** Mounts of an active or view snapshot. */
  mounts(key: string): Promise<readonly Mount[]>;
  /** Turns the active snapshot `key` into the committed `name`; Conflict if the name exists. */
  commit(request: { readonly name: string; readonly key: string; readonly labels?: Labels }): Promise<void>;
  /** The record; NotFound if absent. */
  stat(key: string): Promise<SnapshotInfo>;
  /** Records that match any filter expression, or all. */
  list(filters?: readonly string[]): Promise<readonly SnapshotInfo[]>;
  /** Removes a snapshot; Conflict while it has children. */
  remove(key: string): Promise<void>;
  /** Space the snapshot itself takes, without its parents. */
  usage(key: string): Promise<{ readonly sizeBytes: number; readonly inodes: number }>;
  /** Sets these labels and keeps the others; an empty value removes a label. */
  updateLabels(key: string, labels: Labels): Promise<SnapshotInfo>;
}

/** A blob's record. */
export interface ContentInfo {
  readonly digest: string;
  readonly size: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly labels: Labels;
}

/** A write in progress (or left by a broken one). */
export interface ContentStatus {
  readonly ref: string;
  readonly offset: number;
  readonly total: number;
  readonly expected: string;
  readonly startedAt: Date;
  readonly updatedAt: Date;
}

/** What a write promises: containerd refuses the commit when size or digest differ. */
export interface NewContent {
  /** Name of the write; a second writer of the same ref waits for the first as long as that gets on. */
  readonly ref: string;
  /** 0 = unknown. */
  readonly size: number;
  /** Empty = unknown; the answer tells. */
  readonly digest: string;
  readonly labels?: Labels;
  /** Set with the commit, but only where the bytes came from this write's source, not from elsewhere in the store. */
  readonly shownLabels?: Labels;
}

/** How a write ended: `alreadyPresent` says that containerd had the blob, and mostly that the source was not read. */
export interface WrittenContent {
  readonly digest: string;
  readonly size: number;
  readonly alreadyPresent: boolean;
}

/** Bytes to write: from the start of the blob, or a function told from which offset containerd wants them. */
export type ContentSource =
  | AsyncIterable<Uint8Array>
  | ((offset: number) => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>);

/** The content store. */
export interface Content {
  /** The record; NotFound if absent. */
  info(digest: string): Promise<ContentInfo>;
  /** Records that match any filter expression, or all. */
  list(filters?: readonly string[]): Promise<readonly ContentInfo[]>;
  /** Removes the blob from this namespace. */
  delete(digest: string): Promise<void>;
  /** Sets these labels and keeps the others; an empty value removes a label. */
  updateLabels(digest: string, labels: Labels): Promise<ContentInfo>;
  /** Streams a blob (or a part) with back-pressure; stopping the iteration ends the call. */
  read(
    digest: string,
    range?: { readonly offset?: number; readonly size?: number },
  ): AsyncIterable<Uint8Array>;
  /** Writes and commits a blob; resumes a broken write of the same ref, and reads no source when containerd has it. */
  write(content: NewContent, source: ContentSource, signal?: AbortSignal): Promise<WrittenContent>;
  /** State of one write; NotFound if there is none. */
  status(ref: string): Promise<ContentStatus>;
  /** All writes in progress. */
  statuses(filters?: readonly string[]): Promise<readonly ContentStatus[]>;
  /** Throws away a write in progress. */
  abort(ref: string): Promise<void>;
}

/** A request for a layer made of the difference between two mount sets. */
export interface DiffRequest {
  readonly left: readonly Mount[];
  readonly right: readonly Mount[];
  readonly mediaType: string;
  readonly ref: string;
  readonly labels?: Labels;
}

/** Layers to file systems and back. */
export interface Diff {
  /** Unpacks a layer on the mounts; answers the descriptor of the uncompressed tar (its digest is the diff id). */
  apply(diff: Descriptor, mounts: readonly Mount[], signal?: AbortSignal): Promise<Descriptor>;
  /** Makes a layer blob of what `right` changed over `left`. */
  diff(request: DiffRequest): Promise<Descriptor>;
}
