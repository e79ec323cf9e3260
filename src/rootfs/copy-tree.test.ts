import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { loadLibc } from '../host/libc.ts';
import { createBuildFiles } from './build-files.ts';
import { createTestRoot, never, type TestRoot } from './test-root.ts';
import type { BuildFiles, FileOwner } from './types-build.ts';
import type { RootHandle } from './types.ts';

let world: TestRoot;
let files: BuildFiles;

beforeAll(async () => {
  world = await createTestRoot();
  files = createBuildFiles(await loadLibc());
});
afterAll(() => world.dispose());

/** Copies a directory of the root to another one, once with each kind of calls. */
async function copy(from: string, to: string, owner?: FileOwner): Promise<readonly string[]> {
  const copies: string[] = [];
  for (const isOwn of [true, false]) {
    const root: RootHandle = { ...world.root, isOwn };
    const path = `/${to}-${String(isOwn)}`;
    await files.makeDirectory({ root, path }, { uid: 0, gid: 0 });
    const unchanged = { mode: undefined, isExcluded: () => false, signal: never };
    await files.copy({ from: { root, path: `/${from}` }, to: { root, path }, owner, ...unchanged });
    copies.push(join(world.rootPath, path));
  }
  return copies;
}

function make(name: string): string {
  const path = join(world.rootPath, name);
  mkdirSync(path);
  return path;
}

test('holes stay holes, and what is between them is copied', async () => {
  const path = join(make('holes'), 'file');
  writeFileSync(path, 'begin');
  truncateSync(path, 8 * 1024 * 1024);
  writeFileSync(path, 'end', { flag: 'a' });
  truncateSync(path, 32 * 1024 * 1024);
  for (const copied of await copy('holes', 'holes-copy')) {
    expect(readFileSync(join(copied, 'file')).equals(readFileSync(path))).toBe(true);
    expect(statSync(join(copied, 'file')).blocks * 512).toBeLessThan(2 * 1024 * 1024);
  }
});

test('names of one file are names of one copy', async () => {
  const path = make('names');
  writeFileSync(join(path, 'a'), 'x');
  linkSync(join(path, 'a'), join(path, 'b'));
  for (const copied of await copy('names', 'names-copy'))
    expect(statSync(join(copied, 'a')).ino).toBe(statSync(join(copied, 'b')).ino);
});

test('file capabilities stay with the owner, and go with it', async () => {
  const file = join(make('capable'), 'file');
  writeFileSync(file, 'x', { mode: 0o755 });
  (await loadLibc()).setxattr(file, 'security.capability', CAP_NET_RAW);
  const capabilitiesOf = async (copied: string): Promise<Buffer | undefined> =>
    (await loadLibc()).getxattr(join(copied, 'file'), 'security.capability');
  for (const copied of await copy('capable', 'kept'))
    expect(await capabilitiesOf(copied)).toEqual(CAP_NET_RAW);
  for (const copied of await copy('capable', 'owned', { uid: 5, gid: 5 }))
    expect(await capabilitiesOf(copied)).toBeUndefined();
});

// Revision 2, effective, permitted: 13.
const CAP_NET_RAW = Buffer.from('0100000200200000000000000000000000000000', 'hex');

test('a tree has one hash, whichever calls read it', async () => {
  const path = make('hashed');
  for (let index = 0; index < 300; index += 1) writeFileSync(join(path, String(index)), `file ${index}`);
  execFileSync('ln', ['-s', '1', join(path, 'link')]);
  const hashes = await Promise.all(
    [true, false].map((isOwn) =>
      files.hash(
        { root: { ...world.root, isOwn }, path: '/hashed' },
        { isExcluded: () => false, signal: never },
      ),
    ),
  );
  expect(hashes[0]).toMatch(/^dir:[0-9a-f]{64}$/);
  expect(hashes[1]).toBe(hashes[0]);
});
