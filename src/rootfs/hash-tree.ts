import { createHash, type Hash } from 'node:crypto';
import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';

import { splitPath, type Contained } from './contained.ts';
import type { TreeOptions } from './types-build.ts';
import { walkTree } from './walk-tree.ts';

const chunkBytes = 256 * 1024;

/** Hashes what a path names, with all below it; see BuildFiles.hash. */
export async function hashTree(contained: Contained, path: string, options: TreeOptions): Promise<string> {
  const { directory, name } = splitPath(path);
  const parent = await contained.openDirectory(directory);
  try {
    const heldPath = Buffer.from(name === '' ? `${parent.path}/.` : `${parent.path}/${name}`);
    const stats = await lstat(heldPath, { bigint: true });
    if (!stats.isDirectory()) return `file:${await hashEntry(heldPath, stats)}`;
  } finally {
    parent.close();
  }
  const top = await contained.openDirectory(path);
  const hash = createHash('sha256');
  try {
    for await (const { path: below, heldPath, stats } of walkTree(contained, top, options)) {
      hash.update(`${below.length} `).update(below);
      hash.update(await hashEntry(heldPath, stats));
    }
  } finally {
    top.close();
  }
  return `dir:${hash.digest('hex')}`;
}

async function hashEntry(heldPath: Buffer, stats: BigIntStats): Promise<string> {
  const hash = createHash('sha256');
  const size = stats.isFile() ? stats.size : 0n;
  hash.update([stats.mode, stats.uid, stats.gid, size, stats.rdev].join(' '));
  if (stats.isSymbolicLink()) hash.update(await readlink(heldPath, { encoding: 'buffer' }));
  else if (stats.isFile()) await hashContent(heldPath, hash);
  return hash.digest('hex');
}

async function hashContent(heldPath: Buffer, hash: Hash): Promise<void> {
  const file = await open(heldPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(chunkBytes));
      if (bytesRead === 0) return;
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
