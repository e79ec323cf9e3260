import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { isErrno } from '../host/errors.ts';
import type { HostMounts } from '../host/types.ts';
import type { Logger } from '../logger.ts';
import { embeddedPaths, type EmbeddedPaths } from './embedded-config.ts';
import { createEmbeddedDaemon, type DaemonProcesses, type EmbeddedDaemon } from './embedded-daemon.ts';
import { countLiveUsers, holdUserLock, withFileLock, type Flock } from './embedded-locks.ts';

/** Which private containerd, and the parts of the host adapter that it is run with. */
export interface EmbeddedOptions {
  /** Root that jobs share; all is kept in `<root>/containerd`. */
  readonly root: string;
  readonly libc: Flock;
  readonly processes: DaemonProcesses;
  readonly mounts: Pick<HostMounts, 'unmountBelow'>;
  readonly log: Logger;
}

/** Our share of a private containerd. */
export interface EmbeddedContainerd {
  /** Path of its socket. */
  readonly address: string;
  readonly version: string;
  /** Starts it again if it has died; for when calls turn Unavailable. */
  ensureRunning(): Promise<void>;
  /** Gives the share back; the last one stops containerd. Idempotent. */
  release(): Promise<void>;
}

/**
 * Joins the private containerd of a root, starting it if this is the first job there. Users that were killed count
 * for nothing: their locks ended with them.
 */
export async function acquireEmbedded(options: EmbeddedOptions): Promise<EmbeddedContainerd> {
  const { root, libc, processes, mounts, log } = options;
  const paths = embeddedPaths(root);
  const daemon = createEmbeddedDaemon(paths, processes);
  await mkdir(paths.users, { recursive: true, mode: 0o700 });
  const { lock, version } = await withFileLock(libc, paths.startLock, async () => {
    const held = await holdUserLock(libc, path.join(paths.users, `${randomUUID()}.lock`));
    try {
      return { lock: held, version: await daemon.ensureRunning() };
    } catch (error) {
      await held.release();
      throw error;
    }
  });
  log.info({ address: paths.socket, version }, 'embedded containerd ready');
  let released: Promise<void> | undefined;
  const release = (): Promise<void> =>
    withFileLock(libc, paths.startLock, async () => {
      await lock.release();
      if (await stopUnused(paths, { libc, mounts }, daemon))
        log.info({ address: paths.socket }, 'embedded containerd stopped');
    });
  return {
    address: paths.socket,
    version,
    async ensureRunning() {
      await withFileLock(libc, paths.startLock, () => daemon.ensureRunning());
    },
    release: () => (released ??= release()),
  };
}

/** Stops the private containerd that killed jobs left behind, unless a live job uses it; true if nobody does. */
export async function stopUnusedEmbedded(options: EmbeddedOptions): Promise<boolean> {
  const paths = embeddedPaths(options.root);
  const daemon = createEmbeddedDaemon(paths, options.processes);
  try {
    return await withFileLock(options.libc, paths.startLock, () => stopUnused(paths, options, daemon));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    throw error;
  }
}

async function stopUnused(
  paths: EmbeddedPaths,
  { libc, mounts }: Pick<EmbeddedOptions, 'libc' | 'mounts'>,
  daemon: EmbeddedDaemon,
): Promise<boolean> {
  if ((await countLiveUsers(libc, paths.users)) > 0) return false;
  await daemon.stop();
  // It does not wait for what it unpacks: a layer that was broken off may be mounted still.
  await mounts.unmountBelow(paths.temporaryMounts);
  return true;
}
