import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { EngineError } from '../errors.ts';
import type { HostMounts, Libc } from '../host/types.ts';
import { createKeyedLock } from '../lib/keyed-lock.ts';
import type { BindAccess, BindLookup, PinnedSource } from './types-binds.ts';
import { holdFd } from './contained.ts';
import type { Guard } from './guarded-files.ts';
import type { HeldSource, HeldWorld, LookUpRequest } from './look-up-request.ts';
import { pinSource, type SourceWorld } from './pin-source.ts';
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
  readonly guard: Guard;
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
  return {
    socketPath: stagedSocket,
    ...createPinning(world, options.guard),
    stage: (source, place) => stageSource(staging, source, place),
    placeOf: (place) => placeOf(staging, place),
    clearPlace: (place) => clearPlaceOf(staging, place),
    stageImage: (view, place) => stageImageAt(staging, view, place),
    stageSocket: () => stageSocketAt(staging, socketPath, stagedSocket),
    unstage: (containerId) => unstageContainer(staging, containerId),
    listStaged: () => listStagedContainers(staging),
    requireStaged: (paths) => requireStagedPaths(staging, paths),
  };
}

/** Looks sources up here where nothing can hang, as far as can be seen, and has it done by a look-up process else. */
function createPinning(world: SourceWorld, guard: Guard): Pick<BindAccess, 'pin' | 'pinWithin'> {
  const { libc } = world;
  const lookups = createKeyedLock();
  let isThreadLost = false;
  const isQuick = ({ pid }: BindLookup): Promise<boolean> =>
    pid === undefined
      ? guard.trust.areQuick(world.workspaces.flatMap(({ paths }) => paths))
      : guard.trust.isQuickFor(pid);
  const ask = (request: PinRequest, path: string): Promise<PinnedSource> =>
    guard.processes.run(request, { path: `bind source ${path}` }, ({ pid, answer }) =>
      Promise.resolve(takeHeld(libc, pid, answer)),
    );
  return {
    async pin(lookup) {
      if (isThreadLost || !(await isQuick(lookup)))
        return ask({ verb: 'pin', world: heldWorld(world), lookup }, lookup.path);
      // One at a time: where the job mounts something meanwhile, one thread of this process is lost and never another.
      const pinning = lookups.run('', () => pinSource(world, lookup));
      const source = await inTime(pinning);
      if (source) return source;
      isThreadLost = true;
      throw new EngineError('Unavailable', `bind source path does not answer: ${lookup.path}`);
    },
    async pinWithin(directory, subpath) {
      if (await guard.trust.areQuick([directory])) return pinWithin(libc, directory, subpath);
      return ask({ verb: 'pinWithin', directory, subpath }, subpath);
    },
  };
}

type PinRequest = Extract<LookUpRequest, { readonly verb: 'pin' | 'pinWithin' }>;

function heldWorld({ workspaces, ownDirectories, socketPath }: SourceWorld): HeldWorld {
  return { workspaces, ownDirectories, socketPath };
}

/** Copies of a look-up process's descriptors. */
function takeHeld(libc: Libc, pid: number, held: HeldSource): PinnedSource {
  const fd = libc.takeFd(pid, held.fd);
  const file = holdFd(fd);
  if (held.namespaceFd === undefined)
    return { fd, namespaceFd: undefined, kind: held.kind, close: () => file.close() };
  try {
    const namespace = holdFd(libc.takeFd(pid, held.namespaceFd));
    const close = (): void => {
      file.close();
      namespace.close();
    };
    return { fd, namespaceFd: namespace.fd, kind: held.kind, close };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function inTime(pinning: Promise<PinnedSource>): Promise<PinnedSource | undefined> {
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
  return undefined;
}
