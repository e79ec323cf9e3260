import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { decompress } from './decompress.ts';

const LIMITS = { freeBytes: 1 << 20, ratio: 10 };

async function expand(bytes: Buffer): Promise<number> {
  let size = 0;
  for await (const chunk of decompress(Readable.from([bytes]), LIMITS)) size += chunk.length;
  return size;
}

test('a compressed archive may expand, but not beyond all measure', async () => {
  expect(await expand(gzipSync(Buffer.alloc(1 << 20)))).toBe(1 << 20);
  await expect(expand(gzipSync(Buffer.alloc(1 << 24)))).rejects.toThrow('more than 10 times its size');
  expect(await expand(Buffer.alloc(1 << 24))).toBe(1 << 24);
});
