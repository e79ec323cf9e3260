import { expect, test } from 'vitest';
import { once } from './once.ts';

test('asks once, and once more after a failure', async () => {
  let asked = 0;
  const answer = once(() => {
    asked += 1;
    return asked === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(asked);
  });
  await expect(Promise.all([answer(), answer()])).rejects.toThrow('not yet');
  expect(await Promise.all([answer(), answer()])).toEqual([2, 2]);
  expect(await answer()).toBe(2);
});
