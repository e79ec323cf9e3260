import { expect, test } from 'vitest';

import { createDeferred } from './deferred.ts';
import { createLimiter } from './limiter.ts';

test('as many as allowed run at once, the others in the order of asking, also after failures', async () => {
  const limiter = createLimiter(2);
  const begun: number[] = [];
  const ends = Array.from({ length: 4 }, () => createDeferred<undefined>());
  const runs = ends.map((end, index) =>
    limiter.run(async () => {
      begun.push(index);
      await end.promise;
      return index;
    }),
  );
  const outcomes = Promise.allSettled(runs);
  await Promise.resolve();
  expect(begun).toEqual([0, 1]);
  ends[1]?.reject(new Error('broken'));
  await runs[1]?.catch(() => undefined);
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  for (const end of ends) end.resolve(undefined);
  expect((await outcomes).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  expect(begun).toEqual([0, 1, 2, 3]);
});
