import { lstat, readdir } from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';

import { EngineError } from '../errors.ts';
import { isErrno } from '../host/errors.ts';
import type { Contained, ContainedFile } from './contained.ts';
import type { PathChange } from './types.ts';

/** Three views of a root filesystem, each contained in itself. */
export interface ChangeViews {
  readonly upper: Contained;
  readonly lower: Contained | undefined;
  readonly merged: Contained;
}

/** What to leave out of the changes, and when to stop. */
export interface ChangeOptions {
  /** Paths that the runtime makes for its mounts: not the container's doing while there is nothing in them. */
  readonly mountPoints: ReadonlySet<string>;
  readonly signal: AbortSignal;
  /** Seconds since 1970 that no packed time is later than; undefined: as they are. */
  readonly latestSeconds?: number | undefined;
}

type Changes = AsyncGenerator<PathChange, void, undefined>;

/** What the container changed, a directory before what is in it; only directories that it wrote to are read. */
export async function* walkChanges(views: ChangeViews, options: ChangeOptions): Changes {
  yield* walkDirectory(views, { path: '', isNew: views.lower === undefined }, options);
}

interface Place {
  /** Without a slash at the end; empty for the root. */
  readonly path: string;
  /** True below what the image does not have. */
  readonly isNew: boolean;
}

async function* walkDirectory(views: ChangeViews, place: Place, options: ChangeOptions): Changes {
  if (options.signal.aborted) throw new EngineError('Cancelled', 'the comparison was cancelled');
  const names = await readNames(views, place);
  for (const name of [...new Set([...names.upper, ...names.lower])].sort()) {
    const path = `${place.path}/${name}`;
    if (!names.merged.has(name)) {
      if (names.lower.has(name)) yield { path, kind: 'deleted' };
    } else if (names.upper.has(name)) {
      const isNew = !names.lower.has(name);
      yield* walkEntry(views, { path, isNew }, options);
    }
  }
}

async function readNames(
  views: ChangeViews,
  { path, isNew }: Place,
): Promise<Readonly<Record<'upper' | 'lower' | 'merged', ReadonlySet<string>>>> {
  const [upper, lower, merged] = await Promise.all([
    namesIn(views.upper, path),
    isNew ? new Set<string>() : namesIn(views.lower, path),
    namesIn(views.merged, path),
  ]);
  return { upper, lower, merged };
}

async function* walkEntry(views: ChangeViews, place: Place, options: ChangeOptions): Changes {
  const { path, isNew } = place;
  const [now, before] = await Promise.all([
    statIn(views.merged, path),
    isNew ? undefined : statIn(views.lower, path),
  ]);
  if (!now) return;
  const change: PathChange = { path, kind: before ? 'modified' : 'added' };
  const isMadeForMounts = before === undefined && leadsToMount(path, options.mountPoints);
  if (now.isDirectory()) yield* walkChanged(views, options, { change, now, before, isMadeForMounts });
  else if (!isMadeForMounts || now.size > 0n) yield change;
}

interface ChangedDirectory {
  readonly change: PathChange;
  readonly now: BigIntStats;
  readonly before: BigIntStats | undefined;
  readonly isMadeForMounts: boolean;
}

async function* walkChanged(views: ChangeViews, options: ChangeOptions, found: ChangedDirectory): Changes {
  const { change, now, before, isMadeForMounts } = found;
  const { path } = change;
  const old = before?.isDirectory() === true ? before : undefined;
  // A directory that was copied up only because of something that is gone again is not a change.
  const isQuiet = old ? hasSameOwner(now, old) : isMadeForMounts;
  const children = walkDirectory(views, { path, isNew: !old }, options);
  const first = await children.next();
  if (first.done !== true || !isQuiet) yield change;
  if (first.done === true) return;
  yield first.value;
  yield* children;
}

/** True where the path is a mount point, or a directory above one. */
export function leadsToMount(path: string, mountPoints: ReadonlySet<string>): boolean {
  if (mountPoints.has(path)) return true;
  return [...mountPoints].some((mountPoint) => mountPoint.startsWith(`${path}/`));
}

/** True where owner and mode are the same. */
export function hasSameOwner(now: BigIntStats, before: BigIntStats): boolean {
  return now.mode === before.mode && now.uid === before.uid && now.gid === before.gid;
}

/** Empty for what is no directory there. */
async function namesIn(view: Contained | undefined, path: string): Promise<ReadonlySet<string>> {
  const directory = view && (await openIfThere(view, path));
  if (!directory) return new Set();
  try {
    return new Set(await readdir(directory.path));
  } finally {
    directory.close();
  }
}

async function statIn(view: Contained | undefined, path: string): Promise<BigIntStats | undefined> {
  const at = path.lastIndexOf('/');
  const directory = view && (await openIfThere(view, path.slice(0, at)));
  if (!directory) return undefined;
  try {
    return await lstat(`${directory.path}/${path.slice(at + 1)}`, { bigint: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  } finally {
    directory.close();
  }
}

/** The directory, no link on the way to it followed: what the container has made a link is not the directory it was. */
async function openIfThere(view: Contained, path: string): Promise<ContainedFile | undefined> {
  const root = await view.openDirectory('/');
  if (path === '') return root;
  try {
    return await view.openBelow(root, path.slice(1));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  } finally {
    root.close();
  }
}
