import { partOf } from './records.ts';
import type { Meter } from '../../src/host/meter.ts';
import type { Job } from '../../src/engine/job.ts';

/** Limiters of a job that let everything through at once, and a meter that has seen nothing. */
export const fakeLimits: Pick<Job, 'execStarts' | 'deletions' | 'meter'> = {
  execStarts: { run: (section) => section() },
  deletions: { run: (section) => section() },
  meter: partOf<Meter>({ oomKills: () => Promise.resolve(0) }),
};
