import { closeSync, openSync } from 'node:fs';
import { EngineError } from '../errors.ts';
import type { Libc } from '../host/types.ts';

/** A lock that the kernel gives back when its process ends, however it ends. */
export interface JobLock {
  release(): void;
}

/** Takes the job's lock; undefined while another process serves the job. */
export function tryLockJob(libc: Libc, lockFile: string): JobLock | undefined {
  const fd = openSync(lockFile, 'a', 0o600);
  if (libc.flock(fd, 'exclusive')) {
    return {
      release: () => {
        closeSync(fd);
      },
    };
  }
  closeSync(fd);
  return undefined;
}

/** Takes the job's lock; Conflict while another process serves the job. */
export function lockJob(libc: Libc, lockFile: string, jobId: string): JobLock {
  const lock = tryLockJob(libc, lockFile);
  if (!lock) throw new EngineError('Conflict', `job ${jobId} is already served by another berth`);
  return lock;
}
