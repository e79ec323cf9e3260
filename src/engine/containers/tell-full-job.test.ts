import { describe, expect, it } from 'vitest';

import { makeJob, partOf } from '../../../test/support/records.ts';
import { EngineError } from '../../errors.ts';
import type { CgroupStats } from '../../host/cgroup-stats.ts';
import type { Meter } from '../../host/meter.ts';
import type { Logger } from '../../logger.ts';
import { tellFullJob } from './tell-full-job.ts';

const GONE =
  "runc create failed: unable to start container process: can't get final child's PID from pipe: EOF";

async function told(message: string, pids?: CgroupStats['pids']): Promise<string> {
  const meter = partOf<Meter>({
    cgroup: () =>
      pids ? Promise.resolve(partOf<CgroupStats>({ pids })) : Promise.reject(new Error('no such cgroup')),
  });
  const error = await tellFullJob(
    makeJob({ meter, log: partOf<Logger>({ warn: () => undefined }), cgroupPath: '/job' }),
    new EngineError('Internal', message),
  );
  expect(error.kind).toBe('Internal');
  return error.message;
}

describe('tellFullJob', () => {
  it.each([GONE, 'error during container init: read init-p: connection reset by peer'])(
    'says that no processes are left: %s',
    async (message) => {
      expect(await told(message, { current: 24, limit: 26 })).toBe(
        `${message}: 24 of the 26 processes that the job may have are in use`,
      );
    },
  );

  it.each<[string, string, CgroupStats['pids'] | undefined]>([
    ['there are enough', GONE, { current: 24, limit: 1000 }],
    ['there is no limit', GONE, { current: 24, limit: undefined }],
    ['they cannot be counted', GONE, undefined],
    ['something else is wrong', 'exec: "nope": executable file not found', { current: 26, limit: 26 }],
  ])('adds nothing where %s', async (_, message, pids) => {
    expect(await told(message, pids)).toBe(message);
  });
});
