import { expect, test } from 'vitest';

import { groupBytes } from './group-bytes.ts';

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
  for await (const { parts, length } of groupBytes(pieces(...texts), 4, skip)) {
    const bytes = Buffer.concat(parts);
    expect(bytes).toHaveLength(length);
    chunks.push(bytes.toString());
  }
  expect(chunks).toEqual(expected);
});
