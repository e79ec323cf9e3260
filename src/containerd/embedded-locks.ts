import { open, readdir, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { EngineError } from '../errors.ts';
import { isErrno } from '../host/errors.ts';
import type { Libc } from '../host/types.ts';

const pollMs = 10;
const patienceMs = 60_000;

/** The one call of libc that is needed here. */
export type Flock = Pick<Libc, 'flock'>;

/** A lock that ends with the process, whatever ends the process. */
export interface HeldLock {
  release(): Promise<void>;
}

/** Runs a section that at most one process at a time is in; a killed one leaves no trace. */
export async function withFileLock<T>(libc: Flock, file: string, section: () => Promise<T>): Promise<T> {
  const handle = await open(file, 'w', 0o600);
  try {
    const deadline = Date.now() + patienceMs;
    // Polled: a waiting flock would hold a thread, and whoever has the lock has it for a start of containerd at most.
    while (!libc.flock(handle.fd, 'exclusive')) {
      if (Date.now() > deadline)
        throw new EngineError('Unavailable', 'another process keeps the embedded containerd locked');
      await sleep(pollMs);
    }
    return await section();
  } finally {
    await handle.close();
  }
}

/** Makes a lock file of our own and holds it; the file's directory tells others who is alive. */
export async function holdUserLock(libc: Flock, file: string): Promise<HeldLock> {
  const handle = await open(file, 'wx', 0o600);
  if (!libc.flock(handle.fd, 'exclusive'))
    throw new EngineError('Internal', 'a new lock file is locked already');
  return {
    async release() {
      await rm(file, { force: true });
      await handle.close();
    },
  };
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Counts the lock files that a live process holds, and removes those of dead ones. */
export async function countLiveUsers(libc: Flock, directory: string): Promise<number> {
  let live = 0;
  for (const name of await readdir(directory)) {
    const file = path.join(directory, name);
    const handle = await openIfThere(file);
    if (!handle) continue;
    try {
      if (libc.flock(handle.fd, 'exclusive')) await rm(file, { force: true });
      else live += 1;
    } finally {
      await handle.close();
    }
  }
  return live;
}
