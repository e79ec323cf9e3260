import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { loadLibc } from '../host/libc.ts';
import { createOwnTrees } from '../host/own-trees.ts';
import { createCacheMounts, type CacheMounts, type CacheSharing } from './cache-mounts.ts';

const NAME = 'a'.repeat(64);
const never = new AbortController().signal;

let root: string;
/** Two processes of one owner, as it were: neither knows of the other but by the directory. */
let one: CacheMounts;
let other: CacheMounts;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'berth-cache-mounts-'));
  const libc = await loadLibc();
  const options = { root, privateRoot: join(root, 'private'), libc, trees: createOwnTrees(libc) };
  one = createCacheMounts(options);
  other = createCacheMounts(options);
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

async function make(content: string): Promise<void> {
  const place = await one.open(NAME, 'shared', never);
  expect(place.isNew).toBe(true);
  writeFileSync(join(place.path, 'file'), content);
  await place.settle('a cache');
  await place.release();
}

/** What comes of an opening within a moment. */
async function isOpened(opening: Promise<unknown>): Promise<boolean> {
  const moment = new Promise<false>((resolve) => setTimeout(resolve, 200, false));
  return Promise.race([opening.then(() => true), moment]);
}

describe('caches of one owner', () => {
  test('are shared at the same time, and keep what is in them', async () => {
    await make('content');
    const [first, second] = [await one.open(NAME, 'shared', never), await other.open(NAME, 'shared', never)];
    expect([first.isNew, second.isNew]).toEqual([false, false]);
    expect(readFileSync(join(second.path, 'file'), 'utf8')).toBe('content');
    await first.release();
    await second.release();
  });

  test.each<[held: CacheSharing, asked: CacheSharing]>([
    ['locked', 'locked'],
    ['locked', 'shared'],
    ['shared', 'locked'],
  ])('%s is waited for by %s', async (held, asked) => {
    await make('content');
    const first = await one.open(NAME, held, never);
    const opening = other.open(NAME, asked, never);
    expect(await isOpened(opening)).toBe(false);
    await first.release();
    await (await opening).release();
  });

  test('private is a directory of its own where another step has it, and gone with the step', async () => {
    await make('content');
    const first = await one.open(NAME, 'private', never);
    const second = await other.open(NAME, 'private', never);
    expect([first.isNew, second.isNew]).toEqual([false, true]);
    await second.release();
    await first.release();
    expect(readdirSync(join(root, 'private'))).toEqual([]);
  });

  test('one that is being filled is nobody else’s, and one that was never filled is begun anew', async () => {
    const first = await one.open(NAME, 'shared', never);
    writeFileSync(join(first.path, 'half'), '');
    const opening = other.open(NAME, 'shared', never);
    expect(await isOpened(opening)).toBe(false);
    await first.release();
    const second = await opening;
    expect(second.isNew).toBe(true);
    expect(readdirSync(second.path)).toEqual([]);
    await second.release();
  });

  test('waiting ends with the signal', async () => {
    await make('content');
    const first = await one.open(NAME, 'locked', never);
    await expect(other.open(NAME, 'locked', AbortSignal.timeout(50))).rejects.toThrow('Build cancelled');
    await first.release();
  });

  test('are listed with their size, and removed unless a step has them', async () => {
    await make('content');
    const [record] = await other.list();
    expect(record).toMatchObject({ name: NAME, description: 'a cache', isInUse: false });
    expect(record?.sizeBytes).toBeGreaterThanOrEqual(7);
    const held = await one.open(NAME, 'shared', never);
    expect(await other.list()).toMatchObject([{ isInUse: true }]);
    expect(await other.remove(NAME)).toBe(false);
    await held.release();
    expect(await other.remove(NAME)).toBe(true);
    expect(await other.list()).toEqual([]);
    await make('again');
  });
});
