import { expect, test } from 'vitest';
import { partOf } from '../../../test/support/records.ts';
import type { Settings } from '../../config/schema.ts';
import { EngineError } from '../../errors.ts';
import { createDeferred } from '../../lib/deferred.ts';
import { createTaskTracker } from '../../lib/task-tracker.ts';
import type { Logger } from '../../logger.ts';
import type { Job } from '../job.ts';
import { startInTime } from './start-in-time.ts';

const PROCESS = { containerId: 'c', execId: 'e' };
const LATE = 'the process did not start within 0.01 seconds (limits.start_seconds) and was killed';

/** A job whose starts may take 10 ms; `end` is what happens when one is ended. */
function makeJob(end: (times: number) => void): { readonly job: Job; readonly ended: object[] } {
  const ended: object[] = [];
  const job = partOf<Job>({
    settings: partOf<Settings>({ limits: partOf<Settings['limits']>({ startSeconds: 0.01 }) }),
    log: partOf<Logger>({ warn: () => undefined }),
    tasks: createTaskTracker(() => undefined),
    runtimeCalls: {
      endStart: (process) => {
        ended.push(process);
        end(ended.length);
        return Promise.resolve(true);
      },
    },
  });
  return { job, ended };
}

test('a start that comes to its end is left alone, and so is its failure', async () => {
  const { job, ended } = makeJob(() => undefined);
  expect(await startInTime(job, PROCESS, () => Promise.resolve(7))).toBe(7);
  const failure = new EngineError('Internal', 'no such file');
  await expect(startInTime(job, PROCESS, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(ended).toEqual([]);
});

test.each([
  ['fails', (start: ReturnType<typeof createDeferred<number>>) => start.reject(new Error('killed'))],
  ['is taken for done', (start: ReturnType<typeof createDeferred<number>>) => start.resolve(7)],
])(
  'one that takes too long is ended, as often as it takes, and is late where it then %s',
  async (_what, settle) => {
    const start = createDeferred<number>();
    const { job, ended } = makeJob((times) => {
      if (times === 2) settle(start);
    });
    await expect(startInTime(job, PROCESS, () => start.promise)).rejects.toMatchObject({
      kind: 'Unavailable',
      message: LATE,
    });
    await job.tasks.idle();
    expect(ended).toEqual([PROCESS, PROCESS]);
  },
);
