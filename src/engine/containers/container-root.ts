import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { EngineError, isErrorKind } from '../../errors.ts';
import type { RootHandle } from '../../rootfs/types.ts';
import type { Container, ContainerMount } from '../../state/container.ts';
import type { Job } from '../job.ts';

/** A directory tree to look a container's path up in, and the path inside of it. */
export interface ContainerRoot {
  readonly root: RootHandle;
  readonly path: string;
  /** True where the container itself may not write there. */
  readonly isReadOnly: boolean;
  /** True where a mount is what keeps it from writing. */
  readonly isMount: boolean;
}

/**
 * Opens what `path` is in: of a running container its own view, else its snapshot, or the volume that would be mounted there.
 * The caller closes the root.
 */
export async function openContainerRoot(
  job: Job,
  container: Container,
  path: string,
): Promise<ContainerRoot> {
  if (path === '' || path.includes('\0'))
    throw new EngineError('InvalidArgument', 'bad parameter: path cannot be empty');
  const absolute = posix.join('/', path);
  const mount = findMount(container.record.mounts, absolute);
  const isReadOnly = mount ? !mount.isReadWrite : container.record.hostConfig.ReadonlyRootfs;
  const running = await openRunning(job, container);
  const isMount = mount !== undefined;
  if (running) return { root: running, path: keepTrailing(absolute, path), isReadOnly, isMount };
  if (mount && mount.type !== 'tmpfs') {
    const hostPath = mount.subpath === undefined ? mount.hostPath : job.volumes.hostPath(mount.name);
    if (!(await stat(hostPath)).isDirectory())
      throw new EngineError(
        'NotImplemented',
        `${path} is a file that is bound: it can be copied while the container runs`,
      );
    const root = await job.rootfs.openMounts([
      { type: 'bind', source: hostPath, target: '', options: ['rbind', 'rw'] },
    ]);
    return {
      root: { ...root, name: posix.basename(mount.destination) },
      path: keepTrailing(
        posix.join('/', mount.subpath ?? '', absolute.slice(mount.destination.length)),
        path,
      ),
      isReadOnly,
      isMount,
    };
  }
  return {
    root: await job.rootfs.openMounts(container.rootMounts),
    path: keepTrailing(absolute, path),
    isReadOnly,
    isMount,
  };
}

async function openRunning(job: Job, container: Container): Promise<RootHandle | undefined> {
  const { state } = container.record;
  if (state.status !== 'running') return undefined;
  let root: RootHandle;
  try {
    root = await job.rootfs.openProcess(state.pid);
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
  // The number may have been given to another process meanwhile: the task still running proves that it was not.
  if (container.run && container.record.state === state) return root;
  await root.close();
  return undefined;
}

/** The innermost mount that the path lies in. */
function findMount(mounts: readonly ContainerMount[], path: string): ContainerMount | undefined {
  return mounts
    .filter(({ destination }) => path === destination || path.startsWith(`${destination}/`))
    .sort((a, b) => b.destination.length - a.destination.length)[0];
}

/** `dir/` and `dir/.` mean something else than `dir` to docker cp. */
function keepTrailing(absolute: string, asked: string): string {
  if (absolute === '/') return asked.endsWith('/.') ? '/.' : '/';
  const bare = absolute.replace(/\/$/, '');
  if (asked.endsWith('/.')) return `${bare}/.`;
  return asked.endsWith('/') ? `${bare}/` : bare;
}
