import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import type { OutputChunk, StreamName } from '../stdio/types.ts';
import { formatTimeNs } from './line-filter.ts';
import { createLogStore } from './log-store.ts';
import type { LogReadOptions, LogStore } from './types.ts';

interface Text {
  stdout: string;
  stderr: string;
}

const never = new AbortController().signal;
const startNs = 1_700_000_000_123_456_789n;

test('random output reads back as a plain model says, whatever is asked', async () => {
  const random = createRandom(42);
  const directory = mkdtempSync(join(tmpdir(), 'berth-log-'));
  const store = createLogStore({
    directoryOf: (id) => join(directory, id),
    now: () => startNs,
    segmentBytes: 600,
  });
  for (let round = 0; round < 12; round += 1) {
    const id = String(round);
    const chunks = randomChunks(random, 40);
    // Two writers one after the other: appending goes on where the first ended, mid-line too.
    await write(store, id, chunks.slice(0, 20));
    await write(store, id, chunks.slice(20));
    for (let ask = 0; ask < 30; ask += 1) {
      const options = randomOptions(random, chunks);
      expect(await read(store, id, options), `${id} ${describeOptions(options)}`).toEqual(
        modelOf(chunks, options),
      );
    }
  }
  rmSync(directory, { recursive: true });
});

async function write(store: LogStore, id: string, chunks: readonly OutputChunk[]): Promise<void> {
  const writer = await store.openWriter(id);
  for (const one of chunks) await writer.write(one);
  await writer.close();
}

async function read(store: LogStore, id: string, options: LogReadOptions): Promise<Text> {
  const text: Text = { stdout: '', stderr: '' };
  for await (const frame of store.read(id, options, never)) text[frame.stream] += frame.data.toString();
  return text;
}

type Random = (limit: number) => number;

function createRandom(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % limit;
  };
}

function randomChunks(random: Random, count: number): OutputChunk[] {
  let timeNs = startNs;
  return Array.from({ length: count }, (_, index) => {
    timeNs += BigInt(random(3));
    let text = '';
    for (let piece = random(4) + 1; piece > 0; piece -= 1)
      text += random(3) === 0 ? '\n' : `${index}.${piece} `;
    return { stream: random(3) === 0 ? 'stderr' : 'stdout', data: Buffer.from(text), timeNs };
  });
}

function randomOptions(random: Random, chunks: readonly OutputChunk[]): LogReadOptions {
  const time = (): bigint | undefined =>
    random(2) === 0 ? undefined : chunks[random(chunks.length)]?.timeNs;
  return {
    stdout: random(4) > 0,
    stderr: random(4) > 0,
    follow: false,
    timestamps: random(2) === 0,
    tail: random(2) === 0 ? 'all' : random(30),
    sinceNs: time(),
    untilNs: time(),
  };
}

function describeOptions(options: LogReadOptions): string {
  return JSON.stringify(options, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

interface Line {
  readonly stream: StreamName;
  readonly timeNs: bigint;
  text: string;
  end: number;
}

function modelOf(chunks: readonly OutputChunk[], options: LogReadOptions): Text {
  const lines: Line[] = [];
  const open: Record<StreamName, Line | undefined> = { stdout: undefined, stderr: undefined };
  let end = 0;
  for (const { stream, data, timeNs } of chunks) {
    for (const piece of data.toString().split(/(?<=\n)/)) {
      const line = open[stream] ?? { stream, timeNs, text: '', end: 0 };
      if (line.text === '') lines.push(line);
      line.text += piece;
      line.end = end += 1;
      open[stream] = piece.endsWith('\n') ? undefined : line;
    }
  }
  return printLines(lines, options);
}

function printLines(lines: readonly Line[], options: LogReadOptions): Text {
  const wanted = lines.filter(({ stream }) => options[stream]).sort((a, b) => a.end - b.end);
  const text: Text = { stdout: '', stderr: '' };
  const tail =
    options.tail === 'all' ? wanted : wanted.slice(wanted.length - Math.min(options.tail, wanted.length));
  for (const line of tail) {
    if (line.timeNs < (options.sinceNs ?? 0n) || line.timeNs > (options.untilNs ?? line.timeNs)) continue;
    text[line.stream] += (options.timestamps ? `${formatTimeNs(line.timeNs)} ` : '') + line.text;
  }
  return text;
}
