import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';

import { isErrno, toEngineError } from '../host/errors.ts';

/** Each is lost to a job that ended just then. */
const MAX_TRIES = 100;

/**
 * Gives a namespace's file a name elsewhere; Conflict where that is taken. A link and no mount: where iproute2 keeps names
 * it mounts the directory on itself, and what is mounted below by then can be neither reached nor removed.
 */
export function nameNetns(path: string, name: string): void {
  for (let left = MAX_TRIES - 1; ; left -= 1) {
    try {
      mkdirSync(dirname(name), { recursive: true });
      symlinkSync(path, name);
      return;
    } catch (error) {
      // The last job to end takes the directory along when it is empty, and may do so now.
      if (!isErrno(error, 'ENOENT') || left === 0)
        throw toEngineError(error, 'cannot name a network namespace');
    }
  }
}
