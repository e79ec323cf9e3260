import { EngineError } from '../../errors.ts';
import type { Exec } from '../../state/exec.ts';
import type { Job } from '../job.ts';

/** The exec instance; NotFound `No such exec instance: <id>`. */
export function findExec(job: Job, execRef: string): Exec {
  const exec = job.execs.get(execRef);
  if (!exec) throw new EngineError('NotFound', `No such exec instance: ${execRef}`);
  return exec;
}
