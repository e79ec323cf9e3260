import { expect, test } from 'vitest';
import { createCleanupStack } from './cleanup-stack.ts';

test('undo steps run latest first, all of them, and a failure is reported with its name', async () => {
  const ran: string[] = [];
  const failures: string[] = [];
  const stack = createCleanupStack((name) => failures.push(name));
  stack.defer('first', () => {
    ran.push('first');
  });
  stack.defer('second', () => Promise.reject(new Error('no')));
  stack.defer('third', () => {
    ran.push('third');
  });
  await stack.dispose();
  await stack.dispose();
  expect({ ran, failures }).toEqual({ ran: ['third', 'first'], failures: ['second'] });
});

test('what was committed is kept, what comes after it is not', async () => {
  const ran: string[] = [];
  const stack = createCleanupStack(() => undefined);
  stack.defer('kept', () => {
    ran.push('kept');
  });
  stack.commit();
  stack.defer('undone', () => {
    ran.push('undone');
  });
  await stack.dispose();
  expect(ran).toEqual(['undone']);
});
