import { createHash, type Hash } from 'node:crypto';
import { constants, type BigIntStats } from 'node:fs';

import type { FileCalls } from './file-calls.ts';
import { splitPath, type Contained } from './contained.ts';
import type { TreeOptions } from './types-build.ts';
import { walkTree } from './walk-tree.ts';

const chunkBytes = 256 * 1024;

/** Hashes what a path names, with all below it; see BuildFiles.hash. */
export async function hashTree(contained: Contained, path: string, options: TreeOptions): Promise<string> {
  const { calls } = contained;
  const reading: Reading = { calls, buffer: Buffer.allocUnsafeSlow(chunkBytes) };
  const { directory, name } = splitPath(path);
  const parent = await contained.openDirectory(directory);
  try {
    const heldPath = Buffer.from(name === '' ? `${parent.path}/.` : `${parent.path}/${name}`);
    const stats = await calls.lstat(heldPath);
    if (!stats.isDirectory()) return `file:${await hashEntry(reading, heldPath, stats)}`;
  } finally {
    parent.close();
  }
  const top = await contained.openDirectory(path);
  const hash = createHash('sha256');
  try {
    for await (const { path: below, heldPath, stats } of walkTree(contained, top, options)) {
      hash.update(`${below.length} `).update(below);
      hash.update(await hashEntry(reading, heldPath, stats));
    }
  } finally {
    top.close();
  }
  return `dir:${hash.digest('hex')}`;
}

/** One buffer for all files of a tree. */
interface Reading {
  readonly calls: FileCalls;
  readonly buffer: Buffer;
}

async function hashEntry(reading: Reading, heldPath: Buffer, stats: BigIntStats): Promise<string> {
  const hash = createHash('sha256');
  const size = stats.isFile() ? stats.size : 0n;
  hash.update([stats.mode, stats.uid, stats.gid, size, stats.rdev].join(' '));
  if (stats.isSymbolicLink()) hash.update(await reading.calls.readlink(heldPath));
  else if (stats.isFile()) await hashContent(reading, heldPath, hash);
  return hash.digest('hex');
}

async function hashContent({ calls, buffer }: Reading, heldPath: Buffer, hash: Hash): Promise<void> {
  const file = await calls.open(heldPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (;;) {
      const readBytes = await calls.read(file, buffer, null);
      if (readBytes === 0) return;
      hash.update(buffer.subarray(0, readBytes));
      if (readBytes === buffer.length) await calls.yieldTurn();
    }
  } finally {
    await calls.close(file);
  }
}
