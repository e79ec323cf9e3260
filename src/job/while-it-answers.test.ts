import { expect, test } from 'vitest';
import { createDeferred } from '../lib/deferred.ts';
import { whileItAnswers } from './while-it-answers.ts';

const never = new Promise<never>(() => undefined);

test('work is waited for while containerd answers, however long it takes', async () => {
  let asked = 0;
  const settled = createDeferred<string>();
  const version = (): Promise<{ readonly version: string; readonly revision: string }> => {
    asked += 1;
    if (asked === 3) settled.resolve('done');
    return Promise.resolve({ version: '1', revision: '' });
  };
  expect(await whileItAnswers({ version: { version } }, settled.promise, 5)).toBe('done');
  expect(asked).toBe(3);
});

test('and given up where it does not', async () => {
  await expect(whileItAnswers({ version: { version: () => never } }, never, 5)).rejects.toThrow(
    'containerd does not answer',
  );
});
