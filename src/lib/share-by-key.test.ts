import { expect, test } from 'vitest';

import { createDeferred, type Deferred } from './deferred.ts';
import { shareByKey } from './share-by-key.ts';

function asked(): { readonly ask: (key: string) => Promise<number>; readonly answers: Deferred<number>[] } {
  const answers: Deferred<number>[] = [];
  const ask = shareByKey((key: string) => {
    expect('ab').toContain(key);
    const answer = createDeferred<number>();
    answers.push(answer);
    return answer.promise;
  });
  return { ask, answers };
}

test('calls with one key share the answer that is under way', async () => {
  const { ask, answers } = asked();
  const both = [ask('a'), ask('a'), ask('b')];
  answers.forEach((answer, index) => answer.resolve(index));
  expect(await Promise.all(both)).toEqual([0, 0, 1]);
});

test('a later call asks again', async () => {
  const { ask, answers } = asked();
  const first = ask('a');
  answers[0]?.resolve(1);
  await first;
  const second = ask('a');
  answers[1]?.resolve(2);
  expect(await second).toBe(2);
});

test('a failure is the failure of all who shared it, and of nobody later', async () => {
  const { ask, answers } = asked();
  const both = [ask('a'), ask('a')];
  answers[0]?.reject(new Error('no'));
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  void ask('a').catch(() => undefined);
  expect(answers).toHaveLength(2);
});
