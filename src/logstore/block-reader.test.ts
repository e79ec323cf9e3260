import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readBlocks } from './block-reader.ts';
import { newLiveLog } from './live-log.ts';
import { createLogReaders } from './log-readers.ts';
import { createLogStore } from './log-store.ts';
import { readRecordHeader, recordHeaderBytes, recordOverheadBytes } from './record.ts';
import { segmentHeaderBytes } from './segment.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-blocks-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function writeLog(payloads: readonly Buffer[]): Promise<void> {
  const store = createLogStore({ directoryOf: () => directory, now: () => 1n });
  const writer = await store.openWriter('a');
  for (const data of payloads) await writer.write({ stream: 'stdout', data, timeNs: 1n });
  await writer.close();
}

/** Bytes of each block, and all payloads. */
async function readAll(shareBytes: number): Promise<{ readonly blocks: number[]; readonly text: Buffer }> {
  const [blocks, payloads]: [number[], Buffer[]] = [[], []];
  const found = readBlocks({
    directory,
    log: newLiveLog(false),
    readers: { ...createLogReaders(), shareBytes: () => shareBytes },
    start: { segment: 1, offset: segmentHeaderBytes },
    end: undefined,
    follow: false,
    signal: new AbortController().signal,
    waitMs: () => undefined,
  });
  for await (const { bytes } of found) {
    blocks.push(bytes.length);
    for (let at = 0; at < bytes.length;) {
      const payloadBytes = readRecordHeader(bytes, at)?.payloadBytes ?? NaN;
      payloads.push(
        Buffer.from(bytes.subarray(at + recordHeaderBytes, at + recordHeaderBytes + payloadBytes)),
      );
      at += payloadBytes + recordOverheadBytes;
    }
  }
  return { blocks, text: Buffer.concat(payloads) };
}

test('a small share gives small blocks, and a record that is longer all the same', async () => {
  const written = [10, 60_000, 20, 30, 120_000, 5].map((length, index) => Buffer.alloc(length, 65 + index));
  await writeLog(written);
  const { blocks, text } = await readAll(100);
  expect(text.equals(Buffer.concat(written))).toBe(true);
  expect(blocks.map((bytes) => bytes - recordOverheadBytes)).toEqual(written.map(({ length }) => length));
});

test('the more read, the less each takes at a time', () => {
  const readers = createLogReaders();
  const leave = Array.from({ length: 1024 }, () => readers.enter());
  expect(readers.shareBytes()).toBe(64 * 1024);
  for (const gone of leave.slice(1)) gone();
  expect(readers.shareBytes()).toBe(64 * 1024 * 1024);
});

test('a long reading lets others have their turn', async () => {
  await writeLog(Array.from({ length: 200 }, () => Buffer.alloc(1000)));
  // The thread is as slow as that: four milliseconds for each block.
  let nowMs = performance.now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 4));
  let turns = 0;
  let next = setImmediate(function again() {
    turns += 1;
    next = setImmediate(again);
  });
  try {
    expect((await readAll(1000)).blocks).toHaveLength(200);
  } finally {
    clearImmediate(next);
    clock.mockRestore();
  }
  expect(turns).toBeGreaterThan(50);
});
