import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSharedTurns } from './turns.ts';

test('who asks alone goes on at once, once the thread has looked at what else has come', async () => {
  const takeTurn = createSharedTurns();
  await takeTurn();
  expect(takeTurn()).toBeUndefined();
});

test('those that wait go on in their order, with others between them', async () => {
  const takeTurn = createSharedTurns();
  const served: number[] = [];
  let others = 0;
  const all = Promise.all(
    Array.from({ length: 400 }, async (_, index) => {
      await takeTurn();
      served.push(index);
    }),
  );
  while (served.length < 400) {
    await nextTurn();
    others += 1;
  }
  await all;
  expect(served).toEqual(served.toSorted((a, b) => a - b));
  expect(others).toBeGreaterThan(20);
});

test('who has been served waits behind those that wait', async () => {
  const takeTurn = createSharedTurns();
  const served: string[] = [];
  const work = async (name: string): Promise<void> => {
    for (const round of [1, 2]) {
      await takeTurn();
      served.push(`${name}${String(round)}`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, index) => work(String.fromCharCode(97 + index))));
  expect(served.indexOf('t1')).toBeLessThan(served.indexOf('a2'));
});
