import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { build, useFront } from '../../test/support/build-front.ts';
import type { FileTree, TreeFile } from './types.ts';

const front = useFront();
const NO_SIGNAL = new AbortController().signal;
const GO_DIRECTORY = 2 ** 31;
const GO_SYMLINK = 2 ** 27;
const GO_SETUID = 2 ** 23;
const GO_STICKY = 2 ** 20;

function file(path: string, changes: Partial<TreeFile> = {}): TreeFile {
  const none = { uid: 0, gid: 0, sizeBytes: 0, mtimeNs: 0, linkTarget: '', major: 0, minor: 0 };
  return { path, type: 'file', mode: 0o644, ...none, ...changes };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  await Promise.resolve();
  yield* items;
}

function treeOf(files: readonly TreeFile[], contents: Readonly<Record<string, Buffer>>): FileTree {
  return {
    files: each(files),
    open: (path) => Promise.resolve(each([contents[path] ?? Buffer.alloc(0)])),
  };
}

test('a directory comes whole, in the order that clients check', async () => {
  const long = randomBytes(1_000_000);
  // As a file system lists them: what is in directories comes last.
  const files = [
    file('a', { type: 'directory', mode: 0o1755 }),
    file('a.txt', { sizeBytes: 3 }),
    file('link', { type: 'symlink', mode: 0o777, linkTarget: '../x' }),
    file('tool', { mode: 0o4755, sizeBytes: long.length }),
    file('a/b', { type: 'directory', mode: 0o700 }),
    file('a/z'),
    file('a/b/c'),
  ];
  const tree = treeOf(files, { 'a.txt': Buffer.from('abc'), tool: long });
  const asking = await front.connectWith({ takes: 'directory' }, async ({ session, signal }) => {
    await session.sendFiles(tree, signal);
    return {};
  });
  await build(asking);
  const { files: taken } = asking.taken;
  expect(taken.map(({ path }) => path)).toEqual(['a', 'a/b', 'a/b/c', 'a/z', 'a.txt', 'link', 'tool']);
  const named = new Map(taken.map((one) => [one.path, one]));
  expect(named.get('a')?.mode).toBe(GO_DIRECTORY + GO_STICKY + 0o755);
  expect(named.get('link')).toMatchObject({ mode: GO_SYMLINK + 0o777, linkname: '../x' });
  expect(named.get('tool')?.mode).toBe(GO_SETUID + 0o755);
  expect(Buffer.concat(named.get('tool')?.chunks ?? []).equals(long)).toBe(true);
  expect(Buffer.concat(named.get('a.txt')?.chunks ?? []).toString()).toBe('abc');
});

test('an archive comes whole', async () => {
  const chunks = Array.from({ length: 30 }, () => randomBytes(100_000));
  const asking = await front.connectWith({ takes: 'archive' }, async ({ session, signal }) => {
    await session.sendArchive(each(chunks), signal);
    return {};
  });
  await build(asking);
  expect(Buffer.concat(asking.taken.archive).equals(Buffer.concat(chunks))).toBe(true);
});

test('a file that cannot be read fails the build', async () => {
  const tree: FileTree = {
    ...treeOf([file('f', { sizeBytes: 1 })], {}),
    open: () => Promise.reject(new Error('gone')),
  };
  const asking = await front.connectWith({ takes: 'directory' }, async ({ session }) => {
    await expect(session.sendFiles(tree, NO_SIGNAL)).rejects.toThrow('gone');
    return {};
  });
  await build(asking);
});

test('a client that offers no place for a result is told so', async () => {
  const asking = await front.connectWith({}, async ({ session }) => {
    await session.sendFiles(treeOf([], {}), NO_SIGNAL);
    return {};
  });
  await expect(build(asking)).rejects.toThrow('the build client offers no directory for the result');
});
