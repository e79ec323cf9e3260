import { expect, test } from 'vitest';
import { forEachBounded } from './for-each-bounded.ts';

test('never more than the limit at once, and each item once', async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  await forEachBounded([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    seen.push(item);
    running -= 1;
  });
  expect({ most, seen: seen.toSorted() }).toEqual({ most: 3, seen: [1, 2, 3, 4, 5, 6, 7] });
});

test('the first failure is thrown after what runs has ended, and nothing new begins', async () => {
  const seen: number[] = [];
  const work = forEachBounded([1, 2, 3, 4], 2, async (item) => {
    await Promise.resolve();
    if (item === 1) throw new Error('no');
    seen.push(item);
  });
  await expect(work).rejects.toThrow('no');
  expect(seen).toEqual([2]);
});
