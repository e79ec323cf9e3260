import { EngineError, isErrorKind } from '../../errors.ts';
import { isKernelAtLeast } from '../../oci/kernel-version.ts';
import type { PinnedSource, StagePlace } from '../../rootfs/types-binds.ts';
import type { ContainerMount } from '../../state/container.ts';
import type { HostConfig } from '../../wire/host-config.ts';
import type { Job } from '../job.ts';
import { findJobProcess, requireJobProcess } from './find-job-process.ts';
import type { VolumeBind } from '../../policy/volume-bind.ts';
import type { StagePlaces } from './stage-places.ts';
import { planBinds, type PlannedBind } from './plan-binds.ts';

/** Where clients look for a daemon, whatever of theirs the job has there. */
const SOCKET_PATHS: ReadonlySet<string> = new Set(['/var/run/docker.sock', '/run/docker.sock']);
const KERNEL_DIRECTORIES = ['/proc', '/sys', '/dev'];

/** A container that is being made; `undo` takes its binds away again. */
export interface BindMaking {
  readonly hostConfig: HostConfig;
  readonly places: StagePlaces;
}

/** Looks up, pins and stages the binds of a request, in the job's view; InvalidArgument or PermissionDenied in dockerd's words. */
export async function stageBinds(job: Job, making: BindMaking): Promise<readonly ContainerMount[]> {
  const planned = planBinds(making.hostConfig);
  const mounts: ContainerMount[] = [];
  for (const bind of planned) {
    mounts.push(bindMount(bind, await stageBind(job, bind, making.places.take())));
  }
  return mounts;
}

/** Stages the directory that a volume stands for, as a bind of it is; answers its place. It has to be there. */
export function stageVolumeBind(job: Job, bind: VolumeBind, places: StagePlaces): Promise<string> {
  return stageBind(job, { ...bind, mustLockBelow: false, createsSource: false }, places.take());
}

/** Throws as a bind of what a volume is to stand for would; what is not there may still come. */
export async function checkVolumeBind(job: Job, bind: VolumeBind): Promise<void> {
  const source = { ...bind, mustLockBelow: false, createsSource: false };
  if (isDaemonSocket(job, source.source)) return;
  try {
    refuseKernelPath(source.source);
    (await pinSource(job, source)).close();
  } catch (error) {
    if (!isErrorKind(error, 'NotFound')) throw inDockersWords(error);
  }
}

type BindSource = Pick<PlannedBind, 'source' | 'isRecursive' | 'mustLockBelow' | 'createsSource'>;

function stageBind(job: Job, bind: BindSource, place: StagePlace): Promise<string> {
  return placeSource(job, bind, place).catch((error: unknown) => {
    throw inDockersWords(error);
  });
}

async function placeSource(job: Job, bind: BindSource, place: StagePlace): Promise<string> {
  if (bind.mustLockBelow && !isKernelAtLeast(job.host.kernelVersion, '5.12'))
    throw new EngineError('InvalidArgument', 'recursive read-only mounts need a kernel of 5.12 or newer');
  if (isDaemonSocket(job, bind.source)) return job.binds.socketPath;
  refuseKernelPath(bind.source);
  const source = await pinSource(job, bind);
  try {
    if (source.kind === 'socket') return job.binds.socketPath;
    return await job.binds.stage(source, { ...place, isRecursive: bind.isRecursive });
  } finally {
    source.close();
  }
}

// Not looked up at all: a daemon of the machine, or of the runner, is never meant.
function isDaemonSocket(job: Job, path: string): boolean {
  return SOCKET_PATHS.has(path) || path === job.paths.socket;
}

async function pinSource(job: Job, { source: path, createsSource }: BindSource): Promise<PinnedSource> {
  const process = await findJobProcess(job);
  const source = await job.binds.pin({ path, create: createsSource, pid: process?.pid });
  if (!process) return source;
  try {
    // The number may have been another process's by then; that the container still runs with it proves that it was not.
    await requireJobProcess(job, process);
    return source;
  } catch (error) {
    source.close();
    throw error;
  }
}

function refuseKernelPath(path: string): void {
  const isBelow = (top: string): boolean => path === top || path.startsWith(`${top}/`);
  if (KERNEL_DIRECTORIES.some(isBelow) && !isBelow('/dev/shm'))
    throw new EngineError('PermissionDenied', `bind source path is of the kernel's own files: ${path}`);
}

/** NotFound would make a client pull the image and try again. */
function inDockersWords(error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const kind = error.kind === 'NotFound' ? 'InvalidArgument' : error.kind;
  return new EngineError(kind, `invalid mount config for type "bind": ${error.message}`, { cause: error });
}

function bindMount(bind: PlannedBind, hostPath: string): ContainerMount {
  return {
    type: 'bind',
    name: '',
    shownSource: bind.source,
    hostPath,
    destination: bind.destination,
    isReadWrite: !bind.isReadOnly,
    mode: bind.mode,
    propagation: bind.propagation,
    isAnonymous: false,
  };
}
