import type { BigIntStats } from 'node:fs';

import type { FileCalls } from './file-calls.ts';
import type { Contained } from './contained.ts';
import type { ListedFile } from './types-build.ts';
import { walkTree } from './walk-tree.ts';

const MINOR_LOW = 0xffn;
const MAJOR = 0xfffn;

/** Every file below a directory with its facts, but sockets; see BuildFiles.listFiles. */
export async function* listFiles(
  contained: Contained,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<ListedFile, void, undefined> {
  const top = await contained.openDirectory(path);
  try {
    for await (const entry of walkTree(contained, top, { signal, isExcluded: () => false })) {
      const file = await describe(contained.calls, entry);
      if (file) yield file;
    }
  } finally {
    top.close();
  }
}

async function describe(
  calls: FileCalls,
  {
    path,
    heldPath,
    stats,
  }: { readonly path: Buffer; readonly heldPath: Buffer; readonly stats: BigIntStats },
): Promise<ListedFile | undefined> {
  const type = typeOf(stats);
  if (!type) return undefined;
  const { rdev } = stats;
  return {
    path: path.toString(),
    type,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    sizeBytes: Number(stats.size),
    mtimeNs: Number(stats.mtimeNs),
    linkTarget: type === 'symlink' ? (await calls.readlink(heldPath)).toString() : '',
    major: Number((rdev >> 8n) & MAJOR),
    minor: Number((rdev & MINOR_LOW) | ((rdev >> 12n) & ~MINOR_LOW)),
  };
}

function typeOf(stats: BigIntStats): ListedFile['type'] | undefined {
  if (stats.isDirectory()) return 'directory';
  if (stats.isFile()) return 'file';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isCharacterDevice()) return 'character-device';
  return stats.isBlockDevice() ? 'block-device' : undefined;
}
