import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createDeferred } from './deferred.ts';
import { createFairLimiter } from './fair-limiter.ts';

const NEVER_MS = 1_000_000;

/** Sections that say when they have begun, and end when they are told to. */
function sections(): {
  readonly begun: string[];
  readonly section: (name: string) => () => Promise<string>;
  readonly end: (name: string) => void;
} {
  const begun: string[] = [];
  const ends = new Map<string, ReturnType<typeof createDeferred<string>>>();
  return {
    begun,
    section: (name) => () => {
      begun.push(name);
      const end = createDeferred<string>();
      ends.set(name, end);
      return end.promise;
    },
    end: (name) => ends.get(name)?.resolve(name),
  };
}

test('a key has no more than its part, and the others go on', async () => {
  const { begun, section, end } = sections();
  const limiter = createFairLimiter({ ofAll: 3, ofKey: 2, patienceMs: NEVER_MS });
  const all = [
    ['a', 'a1'],
    ['a', 'a2'],
    ['a', 'a3'],
    ['b', 'b1'],
    ['b', 'b2'],
  ].map(([key = '', name = '']) => limiter.run(key, section(name)));
  await turn();
  expect(begun).toEqual(['a1', 'a2', 'b1']);
  end('a1');
  await turn();
  expect(begun).toEqual(['a1', 'a2', 'b1', 'b2']);
  for (const name of ['a2', 'b1', 'b2']) end(name);
  await turn();
  end('a3');
  expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3', 'b1', 'b2']);
});

test('one that takes too long gives way to other keys, not to its own', async () => {
  const { begun, section, end } = sections();
  const limiter = createFairLimiter({ ofAll: 1, ofKey: 1, patienceMs: 1 });
  const slow = limiter.run('a', section('a1'));
  const behind = limiter.run('a', section('a2'));
  const other = limiter.run('b', section('b1'));
  while (begun.length < 2) await turn();
  expect(begun).toEqual(['a1', 'b1']);
  end('b1');
  expect(await other).toBe('b1');
  end('a1');
  expect(await slow).toBe('a1');
  while (begun.length < 3) await turn();
  end('a2');
  expect(await behind).toBe('a2');
});

test('a failure is that of its section alone', async () => {
  const limiter = createFairLimiter({ ofAll: 1, ofKey: 1, patienceMs: NEVER_MS });
  await expect(limiter.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await limiter.run('a', () => Promise.resolve('yes'))).toBe('yes');
});
