import { readFileSync } from 'node:fs';

import { isErrno } from './errors.ts';
import type { Libc, ProcessSignals } from './types.ts';

/** Signals without a program that carries them: runc's start alone is most of the time that a kill takes. */
export function createProcessSignals(libc: Pick<Libc, 'signalIf'>): ProcessSignals {
  return {
    send: ({ pid, cgroupName }, signal) => {
      try {
        return libc.signalIf(pid, signal, () => isInCgroup(pid, cgroupName));
      } catch (error) {
        if (isErrno(error, 'ESRCH')) return false;
        throw error;
      }
    },
  };
}

/** One that has ended is in none: its number may be another process's the next moment. */
function isInCgroup(pid: number, name: string): boolean {
  try {
    const lines = readFileSync(`/proc/${pid}/cgroup`, 'latin1').split('\n');
    return lines.some((line) => line.split('/').slice(1).includes(name));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return false;
    throw error;
  }
}
