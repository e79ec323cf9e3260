import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { OutputChunk, StreamName } from '../stdio/types.ts';
import { formatTimeNs } from './line-filter.ts';
import { createLogStore, type LogStoreOptions } from './log-store.ts';
import type { LogFrame, LogReadOptions, LogStore, LogWriter } from './types.ts';

interface Text {
  stdout: string;
  stderr: string;
}

const everything: LogReadOptions = {
  stdout: true,
  stderr: true,
  follow: false,
  timestamps: false,
  tail: 'all',
  sinceNs: undefined,
  untilNs: undefined,
};
const never = new AbortController().signal;
const startNs = 1_700_000_000_123_456_789n;

function chunk(stream: StreamName, text: string, timeNs: bigint): OutputChunk {
  return { stream, data: Buffer.from(text), timeNs };
}

describe('log store', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'berth-log-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const newStore = (options: Partial<LogStoreOptions> = {}): LogStore =>
    createLogStore({ directoryOf: (id) => join(directory, id), now: () => startNs + 10n ** 12n, ...options });
  const read = async (
    store: LogStore,
    options: Partial<LogReadOptions> = {},
    signal = never,
  ): Promise<Text> => {
    const text: Text = { stdout: '', stderr: '' };
    for await (const frame of store.read('a', { ...everything, ...options }, signal)) {
      text[frame.stream] += frame.data.toString();
    }
    return text;
  };
  const write = async (store: LogStore, chunks: readonly OutputChunk[]): Promise<void> => {
    const writer = await store.openWriter('a');
    for (const one of chunks) await writer.write(one);
    await writer.close();
  };
  const segmentFiles = (): string[] => readdirSync(join(directory, 'a')).sort();

  test('an absent log is empty, also to a follower', async () => {
    expect(await read(newStore(), { follow: true })).toEqual({ stdout: '', stderr: '' });
  });

  test('a time is printed with nine digits', () => {
    expect(formatTimeNs(1_700_000_000_000_000_042n)).toBe('2023-11-14T22:13:20.000000042Z');
  });

  test('a prefix stands before each line, also where a line spans chunks with the other stream in between', async () => {
    const store = newStore();
    await write(store, [
      chunk('stdout', 'one\ntw', startNs),
      chunk('stderr', 'err\n', startNs + 1n),
      chunk('stdout', 'o\nthree', startNs + 2n),
    ]);
    expect(await read(store, { timestamps: true })).toEqual({
      stdout:
        '2023-11-14T22:13:20.123456789Z one\n2023-11-14T22:13:20.123456789Z two\n2023-11-14T22:13:20.123456791Z three',
      stderr: '2023-11-14T22:13:20.123456790Z err\n',
    });
    expect((await read(store, { details: '' })).stdout).toBe(' one\n two\n three');
    expect((await read(store, { details: 'a=b' })).stdout).toBe('a=b one\na=b two\na=b three');
  });

  test.each([
    [0, '', ''],
    [1, 'three', ''],
    [2, 'two\nthree', ''],
    [3, 'two\nthree', 'err\n'],
    [4, 'one\ntwo\nthree', 'err\n'],
    [99, 'one\ntwo\nthree', 'err\n'],
  ])('tail %i counts the lines of both streams in the order of their ends', async (tail, stdout, stderr) => {
    const store = newStore();
    const chunks = [
      chunk('stdout', 'one\ntw', startNs),
      chunk('stderr', 'err\n', startNs),
      chunk('stdout', 'o\nthree', startNs),
    ];
    await write(store, chunks);
    expect(await read(store, { tail })).toEqual({ stdout, stderr });
    // Of one stream alone, the other's lines do not count.
    expect((await read(store, { tail: 1, stdout: false })).stderr).toBe('err\n');
  });

  test('several followers get all at once and end with the writer', async () => {
    const store = newStore({ segmentBytes: 2000 });
    const writer = await store.openWriter('a');
    await writeOut(store, writer, chunk('stdout', 'before\n', startNs));
    const followers = [
      read(store, { follow: true }),
      read(store, { follow: true, tail: 0 }),
      read(store, { follow: true, tail: 1 }),
    ];
    const first = store.read('a', { ...everything, follow: true }, never)[Symbol.asyncIterator]();
    expect(textOf(await first.next())).toBe('before\n');
    let text = '';
    for (let line = 0; line < 300; line += 1) {
      text += `line ${line}\n`;
      const pending = first.next();
      await writer.write(chunk('stdout', `line ${line}\n`, startNs + BigInt(line)));
      expect(textOf(await pending)).toBe(`line ${line}\n`);
    }
    await writer.close();
    expect((await first.next()).done).toBe(true);
    expect((await Promise.all(followers)).map(({ stdout }) => stdout)).toEqual([
      `before\n${text}`,
      text,
      `before\n${text}`,
    ]);
  });

  test('what the writer took before a reading began is read, and a writer that fails holds nobody', async () => {
    const store = newStore();
    const writer = await store.openWriter('a');
    void writer.write(chunk('stdout', 'taken\n', startNs));
    const late = read(store, { follow: true, tail: 0 });
    expect((await read(store)).stdout).toBe('taken\n');
    await writer.close();
    expect((await late).stdout).toBe('');

    const full = newStore({ segmentBytes: 1 });
    const failing = await full.openWriter('b');
    rmSync(join(directory, 'b'), { recursive: true });
    void failing.write(chunk('stdout', 'written\n', startNs));
    void failing.write(chunk('stdout', 'not written\n', startNs));
    const reading = full.read('b', everything, never)[Symbol.asyncIterator]();
    expect((await reading.next()).done).toBe(true);
    await expect(failing.close()).rejects.toMatchObject({ message: /cannot write the log/ });
  });

  test('a follower ends when it is aborted, when the log is removed, and at a time it is not to pass', async () => {
    let nowNs = startNs;
    const store = newStore({ now: () => nowNs });
    const writer = await store.openWriter('a');
    await writeOut(store, writer, chunk('stdout', 'x', startNs));
    const abort = new AbortController();
    const aborted = read(store, { follow: true }, abort.signal);
    const limited = read(store, { follow: true, untilNs: startNs + 20_000_000n });
    const removed = read(store, { follow: true });
    setTimeout(() => abort.abort(), 50);
    expect((await aborted).stdout).toBe('x');
    nowNs += 30_000_000n;
    expect((await limited).stdout).toBe('x');
    await store.remove('a');
    expect((await removed).stdout).toBe('x');
    await writer.close();
    expect(existsSync(join(directory, 'a'))).toBe(false);
  });

  test('the oldest segments are dropped, and a reader inside of one goes on with the oldest left', async () => {
    const store = newStore({ segmentBytes: 1000, maxBytes: 4000 });
    const writer = await store.openWriter('a');
    const line = (number: number): string => `${String(number).padStart(99, '0')}\n`;
    await writer.write(chunk('stdout', line(0), startNs));
    const reader = store.read('a', { ...everything, follow: true }, never)[Symbol.asyncIterator]();
    expect(textOf(await reader.next())).toBe(line(0));
    for (let number = 1; number < 200; number += 1)
      await writeOut(store, writer, chunk('stdout', line(number), startNs));
    await writer.close();
    expect(segmentFiles().length).toBeLessThanOrEqual(6);
    expect(segmentFiles()[0]).not.toBe('00000001.log');
    let rest = '';
    for (let next = await reader.next(); next.done !== true; next = await reader.next())
      rest += next.value.data.toString();
    const left = (await read(store)).stdout;
    expect(left.endsWith(line(199))).toBe(true);
    expect(left.length).toBeLessThan(5000);
    expect(rest.endsWith(left)).toBe(true);
    expect((await read(store, { tail: 1000 })).stdout).toBe(left);
    expect((await read(store, { tail: 2 })).stdout).toBe(line(198) + line(199));
  });

  test.each([1, 5, 27, 28, 40])(
    'a record cut off %i bytes before its end is left out, and writing goes on',
    async (bytes) => {
      const store = newStore();
      await write(store, [
        chunk('stdout', 'whole\n', startNs),
        chunk('stdout', 'cut off at the end\n', startNs),
      ]);
      const path = join(directory, 'a/00000001.log');
      truncateSync(path, statSync(path).size - bytes);
      expect((await read(store)).stdout).toBe('whole\n');
      expect((await read(store, { tail: 5 })).stdout).toBe('whole\n');
      await write(store, [chunk('stdout', 'more\n', startNs)]);
      expect((await read(store)).stdout).toBe('whole\nmore\n');
      expect((await read(store, { tail: 1 })).stdout).toBe('more\n');
    },
  );

  test('a record whose bytes have changed, rubbish behind it and an empty newest segment are cut off by the writer', async () => {
    const store = newStore();
    await write(store, [chunk('stdout', 'whole\n', startNs), chunk('stdout', 'changed\n', startNs)]);
    const path = join(directory, 'a/00000001.log');
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('changed')] = 0x43;
    writeFileSync(path, bytes);
    appendFileSync(path, Buffer.alloc(100, 0xff));
    writeFileSync(join(directory, 'a/00000002.log'), 'BERTH');
    await write(store, [chunk('stderr', 'more\n', startNs)]);
    expect(await read(store)).toEqual({ stdout: 'whole\n', stderr: 'more\n' });
    expect(segmentFiles()).toEqual(['00000001.log']);
  });

  test('a reading leaves no descriptor open, however it ends', async () => {
    const store = newStore({ segmentBytes: 2_000_000 });
    await write(
      store,
      Array.from({ length: 200 }, () => chunk('stdout', 'line\n'.repeat(13_000), startNs)),
    );
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    await read(store);
    await read(store, { tail: 1_000_000 });
    for await (const frame of store.read('a', everything, never)) if (frame.data.length > 0) break;
    const removed = store.read('a', everything, never)[Symbol.asyncIterator]();
    await removed.next();
    await store.remove('a');
    while ((await removed.next()).done !== true);
    expect(descriptors()).toBe(before);
  });

  test('times never decrease, even when the clock is set back between two writers', async () => {
    const store = newStore();
    await write(store, [chunk('stdout', 'a\n', startNs)]);
    await write(store, [chunk('stdout', 'b\n', startNs - 10n ** 10n)]);
    const [, second] = (await read(store, { timestamps: true })).stdout.split('\n');
    expect(second).toBe(`${formatTimeNs(startNs)} b`);
  });

  test('a second writer is a conflict, and a closed one takes no more', async () => {
    const store = newStore();
    const writer = await store.openWriter('a');
    await expect(store.openWriter('a')).rejects.toMatchObject({ kind: 'Conflict' });
    await writer.close();
    await writer.close();
    expect(() => writer.write(chunk('stdout', 'x', startNs))).toThrow('the log is closed');
  });

  test('a chunk larger than a record, and one of many empty lines, come back whole', async () => {
    const store = newStore();
    const large = `${'x'.repeat(300_000)}\n`;
    await write(store, [chunk('stdout', large, startNs), chunk('stdout', '\n'.repeat(70_000), startNs)]);
    expect((await read(store)).stdout).toBe(large + '\n'.repeat(70_000));
    expect((await read(store, { timestamps: true, tail: 2 })).stdout).toBe(
      `${formatTimeNs(startNs)} \n`.repeat(2),
    );
    expect((await read(store, { tail: 70_001 })).stdout.length).toBe(370_001);
  });
});

function textOf(result: IteratorResult<LogFrame, unknown>): string {
  return result.done === true ? '' : result.value.data.toString();
}

/** Writes a line; resolves when readers can see it. */
async function writeOut(store: LogStore, writer: LogWriter, line: OutputChunk): Promise<void> {
  const followed = store.read('a', { ...everything, tail: 1, follow: true }, never);
  await writer.write(line);
  for await (const frame of followed) if (frame.data.toString().endsWith(line.data.toString())) return;
}
