import { expect, test } from 'vitest';
import { createDeferred } from './deferred.ts';
import { createKeyedLock } from './keyed-lock.ts';

test('sections of one key run one after the other in the order of asking, other keys go on', async () => {
  const lock = createKeyedLock();
  const gate = createDeferred<'open'>();
  const ran: string[] = [];
  const first = lock.run('a', async () => {
    await gate.promise;
    ran.push('a1');
  });
  const second = lock.run('a', () => {
    ran.push('a2');
    return Promise.resolve();
  });
  await lock.run('b', () => {
    ran.push('b');
    return Promise.resolve();
  });
  gate.resolve('open');
  await Promise.all([first, second]);
  expect(ran).toEqual(['b', 'a1', 'a2']);
});

test('a section that fails lets the next one run', async () => {
  const lock = createKeyedLock();
  const failing = lock.run('a', () => Promise.reject(new Error('no')));
  const next = lock.run('a', () => Promise.resolve('ran'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('ran');
});
