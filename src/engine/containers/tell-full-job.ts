import { EngineError, messageOf } from '../../errors.ts';
import type { Job } from '../job.ts';

/** What runc says of a first process that could not fork or make a thread: that it has gone, not why. */
const GONE = /can't get final child's PID from pipe: EOF|read init-p: connection reset by peer/;
/** Processes and threads that runc needs to begin one, as many as its Go runtime makes at most before the exec. */
const NEEDED_BY_A_START = 16;

/** Adds to a start's error that the job has no processes left, where that is what the runtime could not tell. */
export async function tellFullJob(job: Job, error: EngineError): Promise<EngineError> {
  if (!GONE.test(error.message)) return error;
  const cgroup = await job.meter.cgroup(job.cgroupPath).catch((cause: unknown) => {
    job.log.warn({ err: messageOf(cause) }, 'processes of the job could not be counted');
    return undefined;
  });
  const { current = 0, limit } = cgroup?.pids ?? {};
  if (limit === undefined || current + NEEDED_BY_A_START < limit) return error;
  const why = `${current} of the ${limit} processes that the job may have are in use`;
  return new EngineError(error.kind, `${error.message}: ${why}`, { cause: error });
}
