import { partOf } from './records.ts';
import type { Meter } from '../../src/host/meter.ts';
import type { Job } from '../../src/engine/job.ts';

/** Limiters of a job that let everything through at once, and a meter that has seen nothing. */
export const fakeLimits: Pick<
  Job,
  'execStarts' | 'deletions' | 'tops' | 'meter' | 'runtimeCalls' | 'runtimeVersion'
> = {
  execStarts: { run: (_containerId, section) => section() },
  deletions: { run: (section) => section() },
  tops: { run: (section) => section() },
  runtimeVersion: () => Promise.resolve({ version: '1.1.5', commit: 'abc123' }),
  runtimeCalls: { endStart: () => Promise.resolve(false) },
  meter: partOf<Meter>({ oomKills: () => Promise.resolve(0) }),
};
