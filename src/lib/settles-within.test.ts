import { expect, test } from 'vitest';
import { settlesWithin } from './settles-within.ts';

test.each([
  ['is fulfilled', () => Promise.resolve('value')],
  ['is rejected', () => Promise.reject(new Error('no'))],
])('a promise that %s in time has settled', async (_how, begin) => {
  expect(await settlesWithin(begin(), 60_000)).toBe(true);
});

test('one that does not is told of when the time is over', async () => {
  expect(await settlesWithin(new Promise(() => undefined), 5)).toBe(false);
});
