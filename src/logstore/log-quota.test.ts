import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { createLogStore } from './log-store.ts';
import type { LogStore } from './types.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-log-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function bytesOf(id: string): number {
  const files = readdirSync(join(directory, id));
  return files.reduce((sum, name) => sum + statSync(join(directory, id, name)).size, 0);
}

const segmentBytes = 1000;

function openStore(): LogStore {
  return createLogStore({
    directoryOf: (id) => join(directory, id),
    maxBytes: 20_000,
    maxTotalBytes: 30_000,
    segmentBytes,
    now: () => 1n,
  });
}

async function writeTo(store: LogStore, id: string, kilobytes: number): Promise<void> {
  // What is written at once goes into one file.
  for (let count = 0; count < kilobytes; count += 1) {
    const writer = await store.openWriter(id);
    await writer.write({ stream: 'stdout', data: Buffer.alloc(segmentBytes, id), timeNs: 1n });
    await writer.close();
  }
}

test('all logs together stay below their size: the largest gives first, and none loses its newest output', async () => {
  const store = openStore();
  const write = (id: string, kilobytes: number): Promise<void> => writeTo(store, id, kilobytes);
  await write('quiet', 3);
  const quietBytes = bytesOf('quiet');
  await write('ended', 18);
  await write('flood', 60);
  expect(bytesOf('quiet')).toBe(quietBytes);
  expect(bytesOf('ended')).toBeLessThan(18_000);
  const total = bytesOf('quiet') + bytesOf('ended') + bytesOf('flood');
  expect(total).toBeLessThanOrEqual(30_000 + 2 * segmentBytes);
  expect(total).toBeGreaterThan(25_000);
  await store.remove('ended');
  await write('late', 12);
  expect(bytesOf('late')).toBeGreaterThan(12_000);
});

test('what an earlier process wrote counts, too, once it is told of', async () => {
  await writeTo(openStore(), 'ended', 18);
  const next = openStore();
  for (const id of ['ended', 'none']) await next.count(id);
  await writeTo(next, 'flood', 18);
  expect(bytesOf('ended') + bytesOf('flood')).toBeLessThanOrEqual(30_000 + 2 * segmentBytes);
});
