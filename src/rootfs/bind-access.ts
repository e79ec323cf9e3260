import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { EngineError } from '../errors.ts';
import type { HostMounts, Libc } from '../host/types.ts';
import { createKeyedLock } from '../lib/keyed-lock.ts';
import type { BindAccess, BindLookup, PinnedSource } from './types-binds.ts';
import { pinSource } from './pin-source.ts';
import { pinWithin, stageImageAt } from './stage-own.ts';
import {
  clearPlaceOf,
  listStagedContainers,
  placeOf,
  requireStagedPaths,
  stageSocketAt,
  stageSource,
  unstageContainer,
} from './stage-source.ts';
import { openWorkspaces } from './workspace.ts';

const lookupTimeoutMs = 15_000;

/** What the access is made with. */
export interface BindAccessOptions {
  readonly libc: Libc;
  readonly mounts: HostMounts;
  /** Where binds are staged; only root can reach it. */
  readonly directory: string;
  /** Directories of the host that the job sees. */
  readonly workspaces: readonly string[];
  /** Directories of berth itself, which no job may bind. */
  readonly ownDirectories: readonly string[];
  /** The job's Docker socket. */
  readonly socketPath: string;
}

/** Makes the access to bind sources; InvalidArgument for a workspace that is not a directory. */
export async function createBindAccess(options: BindAccessOptions): Promise<BindAccess> {
  const { libc, mounts, directory, socketPath } = options;
  const staging = { libc, mounts, directory };
  const stagedSocket = join(directory, 'docker.sock');
  const world = {
    libc,
    socketPath,
    workspaces: await openWorkspaces(options.workspaces),
    ownDirectories: await Promise.all(options.ownDirectories.map((path) => realpath(path))),
  };
  const lookups = createKeyedLock();
  return {
    socketPath: stagedSocket,
    // One at a time: a file system of the job that never answers holds one thread of the process, not all.
    pin: (lookup) =>
      inTime(
        lookups.run('', () => pinSource(world, lookup)),
        lookup,
      ),
    stage: (source, place) => stageSource(staging, source, place),
    pinWithin: (top, subpath) => pinWithin(libc, top, subpath),
    placeOf: (place) => placeOf(staging, place),
    clearPlace: (place) => clearPlaceOf(staging, place),
    stageImage: (view, place) => stageImageAt(staging, view, place),
    stageSocket: () => stageSocketAt(staging, socketPath, stagedSocket),
    unstage: (containerId) => unstageContainer(staging, containerId),
    listStaged: () => listStagedContainers(staging),
    requireStaged: (paths) => requireStagedPaths(staging, paths),
  };
}

async function inTime(pinning: Promise<PinnedSource>, { path }: BindLookup): Promise<PinnedSource> {
  const timer = new AbortController();
  const late = sleep(lookupTimeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    const source = await Promise.race([pinning, late]);
    if (source) return source;
  } finally {
    timer.abort();
  }
  // It may still come; nobody waits for it then.
  pinning.then(
    (source) => source.close(),
    () => undefined,
  );
  throw new EngineError('Unavailable', `bind source path does not answer: ${path}`);
}
