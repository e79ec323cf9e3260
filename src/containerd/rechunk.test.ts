import { expect, test } from 'vitest';

import { rechunk } from './rechunk.ts';

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array, void> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

test.each([
  [['abc', 'def', 'g'], 0, ['abcd', 'efg']],
  [['abcdefghij'], 0, ['abcd', 'efgh', 'ij']],
  [['ab', 'cdefg'], 3, ['defg']],
  [['abcd'], 4, []],
  [[], 0, []],
  [['', 'a', ''], 0, ['a']],
] as const)('%j without the first %i bytes becomes %j', async (texts, skip, expected) => {
  const chunks: string[] = [];
  for await (const chunk of rechunk(pieces(...texts), 4, skip)) chunks.push(Buffer.from(chunk).toString());
  expect(chunks).toEqual(expected);
});
