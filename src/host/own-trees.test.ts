import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { loadLibc } from './libc.ts';
import { createOwnTrees, type OwnTrees } from './own-trees.ts';
import type { Libc } from './types.ts';

let directory: string;
let tree: string;
let outside: string;
let libc: Libc;
let trees: OwnTrees;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-own-trees-'));
  tree = join(directory, 'tree');
  outside = join(directory, 'outside');
  mkdirSync(tree);
  mkdirSync(outside);
  writeFileSync(join(outside, 'kept'), 'x'.repeat(1000));
  libc = await loadLibc();
  trees = createOwnTrees(libc);
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** So many directories, one in the other, with a file in the innermost: too deep for any path. */
function makeDeep(levels: number): void {
  const script = `import os, sys
os.chdir(sys.argv[1])
for _ in range(int(sys.argv[2])):
    os.mkdir("directory-of-a-long-name")
    os.chdir("directory-of-a-long-name")
open("file", "w").write("12345")`;
  execFileSync('python3', ['-c', script, tree, String(levels)]);
}

test('a tree of files, links and directories is measured and removed', async () => {
  mkdirSync(join(tree, 'a/b'), { recursive: true });
  writeFileSync(join(tree, 'a/b/file'), '12345');
  writeFileSync(join(tree, 'other'), '123');
  mkdirSync(join(tree, 'empty'));
  expect(await trees.measure(tree)).toBe(8);
  await trees.remove(tree);
  expect(readdirSync(directory)).toEqual(['outside']);
});

test('nothing is where nothing is; a file is removed, too', async () => {
  expect(await trees.measure(join(directory, 'nowhere/at-all'))).toBe(0);
  await trees.remove(join(directory, 'nowhere/at-all'));
  const file = join(outside, 'kept');
  await trees.remove(file);
  expect(existsSync(file)).toBe(false);
});

test('what is deeper than a path can say is measured and removed', async () => {
  makeDeep(400);
  expect(await trees.measure(tree)).toBe(5);
  await trees.remove(tree);
  expect(existsSync(tree)).toBe(false);
});

test('links are removed, and what they lead to is neither measured nor touched', async () => {
  symlinkSync(outside, join(tree, 'link'));
  expect(await trees.measure(tree)).toBe(lstatSync(join(tree, 'link')).size);
  await trees.remove(tree);
  expect(readdirSync(outside)).toEqual(['kept']);
  symlinkSync(outside, tree);
  expect(await trees.measure(tree)).toBe(0);
  await trees.remove(tree);
  expect(readdirSync(outside)).toEqual(['kept']);
});

test('a directory that is swapped for a link before it is opened leads nowhere', async () => {
  mkdirSync(join(tree, 'swap'));
  const hostile = createOwnTrees({
    openat2(directoryFd, path, how) {
      if (path.toString() === 'swap') {
        renameSync(join(tree, 'swap'), join(tree, 'away'));
        symlinkSync(outside, join(tree, 'swap'));
      }
      return libc.openat2(directoryFd, path, how);
    },
  });
  expect(await hostile.measure(tree)).toBe(0);
  rmSync(join(tree, 'swap'));
  renameSync(join(tree, 'away'), join(tree, 'swap'));
  await hostile.remove(tree);
  expect(readdirSync(directory)).toEqual(['outside']);
  expect(readdirSync(outside)).toEqual(['kept']);
});

test('a directory that is moved while it is in hand leads nowhere on the way back', async () => {
  mkdirSync(join(tree, 'a/b'), { recursive: true });
  writeFileSync(join(outside, 'b'), '');
  const hostile = createOwnTrees({
    openat2(directoryFd, path, how) {
      if (path.toString() === '..' && existsSync(join(tree, 'a/b')))
        renameSync(join(tree, 'a/b'), join(outside, 'moved'));
      return libc.openat2(directoryFd, path, how);
    },
  });
  await hostile.remove(tree);
  expect(existsSync(tree)).toBe(false);
  expect(readdirSync(outside).sort()).toEqual(['b', 'kept', 'moved']);
});

test('a directory that is filled again and again is in use', async () => {
  mkdirSync(join(tree, 'a'));
  let made = 0;
  const busy = createOwnTrees({
    openat2(directoryFd, path, how) {
      mkdirSync(join(tree, `a/${String((made += 1))}`), { recursive: true });
      return libc.openat2(directoryFd, path, how);
    },
  });
  await expect(busy.remove(tree)).rejects.toMatchObject({ kind: 'Conflict' });
});
