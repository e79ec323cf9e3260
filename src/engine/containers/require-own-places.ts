import { posix } from 'node:path';
import type { Mount } from '../../containerd/types.ts';
import { EngineError, isErrorKind } from '../../errors.ts';
import type { PathStat, RootHandle } from '../../rootfs/types.ts';
import type { ContainerRecord } from '../../state/container.ts';
import type { Job } from '../job.ts';

/** What only the kernel's file systems may stand at: the runtime takes these for what it has put there. */
const OWN_PLACES = ['/dev', '/proc', '/sys'];
const MAX_LINKS = 40;

/**
 * Refuses mounts that lead to the container's own places by a link of the root filesystem, and one where such a place is a
 * link itself: InvalidArgument. Nothing may run in it, nor write to it, meanwhile.
 */
export async function requireOwnPlaces(
  job: Job,
  { mounts, hostConfig }: Pick<ContainerRecord, 'mounts' | 'hostConfig'>,
  rootMounts: readonly Mount[],
): Promise<void> {
  const destinations = [
    ...mounts.map(({ destination }) => destination),
    ...Object.keys(hostConfig.Tmpfs ?? {}),
  ];
  // Without a mount nobody else can change what a link leads to.
  if (destinations.length === 0) return;
  const root = await job.rootfs.openMounts(rootMounts, { isOwn: true });
  try {
    for (const place of OWN_PLACES)
      if ((await followLinks(job, root, place)) !== place)
        throw new EngineError('InvalidArgument', `invalid root filesystem: '${place}' is a link`);
    for (const destination of destinations) {
      const path = await followLinks(job, root, destination);
      if (path !== destination && isOwnPlace(path))
        throw new EngineError(
          'InvalidArgument',
          `invalid mount path: '${destination}' leads to '${path}', which is the container's own`,
        );
    }
  } finally {
    await root.close();
  }
}

function isOwnPlace(path: string): boolean {
  return OWN_PLACES.some((place) => path === place || path.startsWith(`${place}/`));
}

/** Where a path leads in the root; what is not there yet leads nowhere else. */
async function followLinks(job: Job, root: RootHandle, path: string): Promise<string> {
  let rest = path.split('/').filter((part) => part !== '');
  let resolved = '/';
  for (let links = 0; rest.length > 0;) {
    const [part = '', ...after] = rest;
    const next = posix.join(resolved, part);
    const target = (await statOf(job, root, next))?.linkTarget ?? '';
    if (target === '') {
      resolved = next;
      rest = after;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new EngineError('InvalidArgument', `too many links: '${path}'`);
    rest = [
      ...posix
        .resolve(resolved, target)
        .split('/')
        .filter((name) => name !== ''),
      ...after,
    ];
    resolved = '/';
  }
  return resolved;
}

async function statOf(job: Job, root: RootHandle, path: string): Promise<PathStat | undefined> {
  try {
    return await job.rootfs.stat(root, path);
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}
