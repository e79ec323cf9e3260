import { posix } from 'node:path';
import { EngineError, isErrorKind } from '../../errors.ts';
import { resolveAllowPrivileged } from '../../policy/allow-privileged.ts';
import type { InnerMount } from '../../host/types.ts';
import type { RootHandle } from '../../rootfs/types.ts';
import type { Container, ContainerMount } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { containerPaths, type ContainerPaths } from './container-paths.ts';
import { readyMounts } from '../mounts/ready-mounts.ts';

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
  { path, isRead }: { readonly path: string; readonly isRead: boolean },
): Promise<ContainerRoot> {
  if (path === '' || path.includes('\0'))
    throw new EngineError('InvalidArgument', 'bad parameter: path cannot be empty');
  const absolute = posix.join('/', path);
  const mount = findMount(container.record.mounts, absolute);
  return {
    root: (await openRunning(job, container)) ?? (await openStopped(job, container, isRead)),
    path: keepTrailing(absolute, path),
    isReadOnly: mount ? !mount.isReadWrite : container.record.hostConfig.ReadonlyRootfs,
    isMount: mount !== undefined,
  };
}

/** All that would be mounted, but what only a running container has: file systems in memory. */
async function openStopped(
  job: Job,
  { id, record, rootMounts }: Container,
  isRead: boolean,
): Promise<RootHandle> {
  await readyMounts(job, record);
  const asked = record.mounts
    .filter(({ type }) => type !== 'tmpfs')
    .map(({ hostPath: source, destination: target, isReadWrite }) => ({
      source,
      target,
      isReadOnly: !isReadWrite,
    }));
  const taken = new Set(record.mounts.map(({ destination }) => destination));
  // A container that was never started has none of these yet.
  const files = 'startedAt' in record.state ? fileMounts(containerPaths(job, id)) : [];
  const inner = [...files.filter(({ target }) => !taken.has(target)), ...asked];
  return job.rootfs.openView(
    rootMounts,
    inner.sort((a, b) => depthOf(a.target) - depthOf(b.target)),
    { isRead },
  );
}

function fileMounts({ hosts, hostname, resolvConf }: ContainerPaths): readonly InnerMount[] {
  const at = (target: string, source: string): InnerMount => ({ target, source, isReadOnly: false });
  return [at('/etc/resolv.conf', resolvConf), at('/etc/hostname', hostname), at('/etc/hosts', hosts)];
}

function depthOf(destination: string): number {
  return destination.split('/').length;
}

async function openRunning(job: Job, container: Container): Promise<RootHandle | undefined> {
  const { state } = container.record;
  if (state.status !== 'running') return undefined;
  let root: RootHandle;
  try {
    root = await job.rootfs.openProcess(state.pid, { isConfined: isConfined(job, container) });
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
  // The number may have been given to another process meanwhile: the task still running proves that it was not.
  if (container.run && container.record.state === state) return root;
  await root.close();
  return undefined;
}

/** True where no process of the container can mount anything, whatever is done to it. */
function isConfined(job: Job, { record: { hostConfig } }: Container): boolean {
  const { allowed, rules } = resolveAllowPrivileged(job.settings);
  return !allowed && rules.length === 0 && !hostConfig.Privileged && (hostConfig.CapAdd ?? []).length === 0;
}

/** The innermost mount that the path lies in. */
function findMount(mounts: readonly ContainerMount[], path: string): ContainerMount | undefined {
  return mounts
    .filter(({ destination }) => path === destination || path.startsWith(`${destination}/`))
    .sort((a, b) => b.destination.length - a.destination.length)[0];
}

/** `dir/` and `dir/.` mean something else than `dir` to docker cp, and `.` is the latter for the root. */
function keepTrailing(absolute: string, asked: string): string {
  const bare = absolute.replace(/\/$/, '');
  if (posix.basename(asked) === '.') return `${bare}/.`;
  if (bare === '') return '/';
  return asked.endsWith('/') ? `${bare}/` : bare;
}
