import { readFileSync } from 'node:fs';

import { isErrno } from './errors.ts';

/**
 * Whether a process is in a cgroup of that name (one part of its path, or several), or below one. One that has ended is in none:
 * its number may be another's.
 */
export function isInCgroup(pid: number, name: string): boolean {
  try {
    const lines = readFileSync(`/proc/${pid}/cgroup`, 'latin1').split('\n');
    return lines.some((line) => `${line}/`.includes(`/${name}/`));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return false;
    throw error;
  }
}
