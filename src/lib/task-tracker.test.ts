import { expect, test } from 'vitest';
import { createDeferred } from './deferred.ts';
import { createTaskTracker } from './task-tracker.ts';

test('idle waits for work that began while it waited, and failures are reported by name', async () => {
  const failures: string[] = [];
  const tracker = createTaskTracker((name) => failures.push(name));
  const later = createDeferred<'done'>();
  const steps: string[] = [];
  tracker.track('fails', Promise.reject(new Error('no')));
  tracker.track(
    'first',
    Promise.resolve().then(() => {
      tracker.track(
        'second',
        later.promise.then(() => steps.push('second')),
      );
    }),
  );
  const idle = tracker.idle().then(() => steps.push('idle'));
  later.resolve('done');
  await idle;
  expect({ steps, failures }).toEqual({ steps: ['second', 'idle'], failures: ['fails'] });
});
