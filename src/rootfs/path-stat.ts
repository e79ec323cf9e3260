import type { BigIntStats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { posix } from 'node:path';

import { resolveLinks, type Contained } from './contained.ts';
import type { PathStat } from './types.ts';

const typeMask = 0o170000;

// Go's os.FileMode has its own bits for what is not a permission.
const goTypeBits: Readonly<Record<number, number>> = {
  0o040000: 0x80000000,
  0o120000: 0x08000000,
  0o060000: 0x04000000,
  0o020000: 0x04000000 + 0x00200000,
  0o010000: 0x02000000,
  0o140000: 0x01000000,
};
const goSpecialBits: readonly (readonly [bit: number, goBit: number])[] = [
  [0o4000, 0x00800000],
  [0o2000, 0x00400000],
  [0o1000, 0x00100000],
];

/** The st_mode of stat(2) as Go's os.FileMode. */
export function toGoMode(mode: number): number {
  const special = goSpecialBits.reduce((sum, [bit, goBit]) => sum + ((mode & bit) === 0 ? 0 : goBit), 0);
  return (mode & 0o777) + (goTypeBits[mode & typeMask] ?? 0) + special;
}

/** Facts about a normalized path, as `docker cp` asks for before it copies. */
export async function statPath(contained: Contained, path: string): Promise<PathStat> {
  const { parent, path: entryPath } = await contained.openParent(path);
  try {
    // Without a name of its own the entry is the held directory itself, which is to be looked through.
    const stats = await (entryPath === parent.path ? stat : lstat)(entryPath, { bigint: true });
    const linkTarget = stats.isSymbolicLink() ? await resolveLinks(contained, path) : '';
    return toPathStat(posix.basename(path) || '/', stats, linkTarget);
  } finally {
    parent.close();
  }
}

function toPathStat(name: string, stats: BigIntStats, linkTarget: string): PathStat {
  const seconds = new Date(Number(stats.mtimeNs / 1_000_000n)).toISOString().slice(0, 19);
  // As Go prints it: no zeros at the end of the fraction, and no point without one.
  const fraction = String(((stats.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return {
    name,
    size: Number(stats.size),
    mode: toGoMode(Number(stats.mode)),
    mtime: `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`,
    linkTarget,
  };
}
