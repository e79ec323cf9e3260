import { expect, test } from 'vitest';
import { unreadableEntry } from './tar-entry.ts';

test.each([-1, -0, NaN, 2 ** 60, 1.5])('a size that none is: %s', (size) => {
  expect(unreadableEntry({ name: 'a', size })).toBe('"a" has no valid size');
});

test('a file with holes is none that could be copied as it lies', () => {
  const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.realsize': '9' };
  expect(unreadableEntry({ name: 'a', size: 512, pax })).toContain('holes');
});

test.each([
  { name: 'a', size: 0 },
  { name: 'a', size: 8 * 1024 ** 3, pax: null },
  { name: 'a', size: 1, pax: { path: 'a' } },
])('any other is fine: %j', (entry) => {
  expect(unreadableEntry(entry)).toBeUndefined();
});
