import { isErrno } from './errors.ts';
import { isInCgroup } from './process-cgroup.ts';
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
