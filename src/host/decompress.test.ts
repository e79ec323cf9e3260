import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { createDeferred } from '../lib/deferred.ts';
import { decompress, sniffCompression } from './decompress.ts';
import { filterThrough } from './filter-program.ts';

const LIMITS = { freeBytes: 1 << 20, ratio: 10 };
const programs = [
  ['xz', ['xz', '-c', '-1']],
  ['bzip2', ['bzip2', '-c', '-1']],
  ['zstd', ['zstd', '-c', '-q']],
] as const;

function packWith(argv: readonly string[], bytes: Buffer): Buffer {
  const [program = '', ...args] = argv;
  const { status, stdout } = spawnSync(program, args, { input: bytes, maxBuffer: 1 << 26 });
  expect(status).toBe(0);
  return stdout;
}

function inPieces(bytes: Buffer, size: number): Readable {
  const count = Math.ceil(bytes.length / size);
  return Readable.from(
    Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size)),
  );
}

async function expand(bytes: Buffer, pieceBytes = 65_536): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress(inPieces(bytes, pieceBytes), LIMITS)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Programs that this process has started and that are still there. */
function children(): readonly string[] {
  const { stdout } = spawnSync('ps', ['-o', 'comm=', '--ppid', String(process.pid)]);
  return stdout.toString().split('\n');
}

test('a compressed archive may expand, but not beyond all measure', async () => {
  expect(await expand(gzipSync(Buffer.alloc(1 << 20)))).toHaveLength(1 << 20);
  await expect(expand(gzipSync(Buffer.alloc(1 << 24)))).rejects.toThrow('more than 10 times its size');
  expect(await expand(Buffer.alloc(1 << 24))).toHaveLength(1 << 24);
});

test.each(programs)(
  'unpacks %s with the host program, whatever the pieces it comes in',
  async (name, argv) => {
    const plain = randomBytes(300_000);
    const packed = packWith(argv, plain);
    expect((await sniffCompression(inPieces(packed, 1))).compression).toBe(name);
    expect((await expand(packed)).equals(plain)).toBe(true);
    expect((await expand(packed, 997)).equals(plain)).toBe(true);
  },
);

test.each(programs)('ends a bomb of %s and its program', async (name, argv) => {
  const bomb = packWith(argv, Buffer.alloc(1 << 25));
  await expect(expand(bomb)).rejects.toThrow('more than 10 times its size');
  expect(children()).not.toContain(name);
});

test.each(programs)('says of damaged %s what its program says', async (_name, argv) => {
  const packed = packWith(argv, randomBytes(100_000));
  await expect(expand(packed.subarray(0, 50_000))).rejects.toMatchObject({
    kind: 'InvalidArgument',
    message: expect.stringMatching(/^exit status \d+: \S/) as string,
  });
});

test('refuses xz that asks for more memory than it may have', async () => {
  const packed = packWith(['xz', '-c', '--lzma2=preset=0,dict=512MiB'], Buffer.from('x'));
  await expect(expand(packed)).rejects.toMatchObject({ kind: 'InvalidArgument' });
});

test('a reader that leaves takes the program along, and tells the source', async () => {
  const closed = createDeferred<undefined>();
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield await Promise.resolve(randomBytes(1000));
    } finally {
      closed.resolve(undefined);
    }
  }
  for await (const chunk of filterThrough(['cat'], endless())) if (chunk.length > 0) break;
  await closed.promise;
  expect(children()).not.toContain('cat');
});

test('a program that ends early is not held up by a source that waits', async () => {
  async function* stalled(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.alloc(100_000, 'no archive'));
    await new Promise(() => undefined);
  }
  const read = async (): Promise<void> => {
    for await (const chunk of filterThrough(['xz', '-dcq'], stalled())) expect(chunk).toBeUndefined();
  };
  await expect(read()).rejects.toThrow('exit status 1: xz: (stdin): File format not recognized');
});

test('a source that breaks off is what the reader hears of', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from('x'));
    throw new Error('the client left');
  }
  const read = async (): Promise<void> => {
    for await (const chunk of filterThrough(['cat'], broken())) expect(chunk.length).toBeGreaterThan(0);
  };
  await expect(read()).rejects.toThrow('the client left');
});

test('names a program that the host lacks', async () => {
  const read = async (): Promise<void> => {
    for await (const chunk of filterThrough(['no-such-program'], Readable.from([Buffer.from('x')])))
      expect(chunk).toBeDefined();
  };
  await expect(read()).rejects.toMatchObject({
    kind: 'Internal',
    message: expect.stringContaining('"no-such-program"') as string,
  });
});
