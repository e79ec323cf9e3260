import { expect, test } from 'vitest';
import { createAsyncQueue } from './async-queue.ts';

test('values come in order, also those pushed before anybody reads, and the end after them', async () => {
  const queue = createAsyncQueue<number>(10);
  queue.push(1);
  queue.push(2);
  queue.end();
  expect(queue.push(3)).toBe(false);
  const seen: number[] = [];
  for await (const value of queue) seen.push(value);
  expect(seen).toEqual([1, 2]);
});

test('a reader that is too slow is cut off with an error', async () => {
  const queue = createAsyncQueue<number>(2);
  expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, false]);
  const read = async (): Promise<void> => {
    for await (const value of queue) expect(value).toBeGreaterThan(0);
  };
  await expect(read()).rejects.toThrow('too slow');
});

test('a reader that stops ends the queue', async () => {
  const queue = createAsyncQueue<number>(2);
  queue.push(1);
  for await (const value of queue) {
    expect(value).toBe(1);
    break;
  }
  expect(queue.push(2)).toBe(false);
});
