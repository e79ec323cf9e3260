import type { BigIntStats } from 'node:fs';

import { EngineError } from '../errors.ts';
import type { Contained, ContainedFile } from './contained.ts';
import type { TreeOptions } from './types-build.ts';

const slash = Buffer.from('/');
const nothing = Buffer.alloc(0);

/** A file below the top of a tree. */
export interface TreeEntry {
  /** Relative to the top. */
  readonly path: Buffer;
  readonly name: Buffer;
  /** Path of the directory that it is in, from the top: empty, or with a slash at its end. */
  readonly below: Buffer;
  /** Its name in a held directory; good until the next entry is asked for. */
  readonly heldPath: Buffer;
  readonly stats: BigIntStats;
}

/** Every file below a held directory, sorted by name, a directory before what is in it; no link is followed. */
export async function* walkTree(
  contained: Contained,
  top: ContainedFile,
  options: TreeOptions,
): AsyncGenerator<TreeEntry, void, undefined> {
  yield* walkBelow({ contained, top, options }, nothing);
}

interface Walk {
  readonly contained: Contained;
  readonly top: ContainedFile;
  readonly options: TreeOptions;
}

// One descriptor per level would be the tree's to multiply: each directory is opened anew from the top.
async function* walkBelow(walk: Walk, below: Buffer): AsyncGenerator<TreeEntry, void, undefined> {
  const { contained, top, options } = walk;
  const { calls } = contained;
  const isTop = below.length === 0;
  const directory = isTop ? top : await contained.openBelow(top, below);
  const directories: Buffer[] = [];
  try {
    const names = await calls.readdir(directory.path);
    for (const name of names.sort((a, b) => Buffer.compare(a, b))) {
      if (options.signal.aborted) throw new EngineError('Cancelled', 'context canceled');
      await calls.yieldTurn();
      const path = Buffer.concat([below, name]);
      if (options.isExcluded(path.toString())) continue;
      const heldPath = Buffer.concat([Buffer.from(`${directory.path}/`), name]);
      const stats = await calls.lstat(heldPath);
      yield { path, name, below, heldPath, stats };
      if (stats.isDirectory()) directories.push(name);
    }
  } finally {
    if (!isTop) directory.close();
  }
  for (const name of directories) yield* walkBelow(walk, Buffer.concat([below, name, slash]));
}
