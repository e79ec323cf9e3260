import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';

import type { Mount } from '../containerd/types.ts';
import { EngineError } from '../errors.ts';
import { isErrno, toEngineError } from './errors.ts';
import type { DetachedMount, HostMounts, InnerMount, Libc, MountEntry } from './types.ts';

const flagBits: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  dirsync: 128,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  rbind: 4096 | 16384,
  relatime: 1 << 21,
  strictatime: 1 << 24,
};
const noFlagOptions: ReadonlySet<string> = new Set(['rw', 'defaults', 'suid', 'dev', 'exec', 'atime']);
const pathOnly = 0o10000000;
const readOnly = 1;
const remount = 32;
const bind = 4096;
const guardFlags = 2 | 4 | 8;

/** Where detached mounts are made for an instant, and the calls to make them with. */
export interface HostMountsOptions {
  readonly libc: Libc;
  /** Made when it is missing; nothing stays in it. */
  readonly directory: string;
}

/** Mounts of the namespace we run in. */
export function createHostMounts({ libc, directory }: HostMountsOptions): HostMounts {
  return {
    list: () => listMounts('self'),
    listOf: async (pid) => {
      try {
        return await listMounts(String(pid));
      } catch (error) {
        throw toEngineError(error, `cannot look at process ${pid}`);
      }
    },
    async unmountBelow(path) {
      const top = normalize(path).replace(/\/+$/, '');
      const isBelow = (entry: MountEntry): boolean =>
        entry.mountPoint === top || entry.mountPoint.startsWith(`${top}/`);
      for (const entry of (await listMounts('self')).filter(isBelow).reverse()) {
        try {
          libc.unmount(entry.mountPoint, { lazy: true });
        } catch (error) {
          if (!isErrno(error, 'EINVAL', 'ENOENT')) throw toEngineError(error, 'cannot unmount');
        }
      }
    },
    async composeDetached(root, inner) {
      try {
        return await Promise.resolve(atPoint(directory, (point) => composeAt(libc, point, { root, inner })));
      } catch (error) {
        throw toEngineError(error, 'cannot mount inside the container file system');
      }
    },
    // Without an await from mount to detach: a kill in between is the only way to leave something.
    async openDetached(mounts) {
      if (mounts.length === 0) throw new EngineError('Internal', 'no mounts to open');
      try {
        return await Promise.resolve(atPoint(directory, (point) => openDetachedIn(libc, point, mounts)));
      } catch (error) {
        throw toEngineError(error, 'cannot mount the container file system');
      }
    },
  };
}

function atPoint<T>(directory: string, use: (point: string) => T): T {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const point = mkdtempSync(join(directory, 'm-'));
  try {
    return use(point);
  } finally {
    rmdirSync(point);
  }
}

interface Composition {
  readonly root: DetachedMount;
  readonly inner: InnerMount;
}

function composeAt(libc: Libc, point: string, { root, inner }: Composition): DetachedMount {
  libc.moveMount(root.fd, point);
  try {
    attachInner(libc, root.fd, inner);
    const fd = libc.openTree(point, { recursive: true });
    return { fd, close: () => closeSync(fd) };
  } finally {
    libc.unmount(point, { lazy: true });
  }
}

function attachInner(libc: Libc, rootFd: number, { source, target, isReadOnly }: InnerMount): void {
  const tree = libc.openTree(source, { recursive: true });
  try {
    const place = libc.openat2(rootFd, target, { flags: pathOnly, resolve: ['IN_ROOT', 'NO_MAGICLINKS'] });
    try {
      libc.moveMount(tree, place);
    } finally {
      closeSync(place);
    }
    if (!isReadOnly) return;
    const flags = readOnly | remount | bind;
    libc.mount({ source: '', target: `/proc/self/fd/${tree}`, type: '', flags, data: '' });
  } finally {
    closeSync(tree);
  }
}

function openDetachedIn(libc: Libc, point: string, mounts: readonly Mount[]): DetachedMount {
  let isMounted = false;
  try {
    for (const mount of mounts) {
      mountOne(libc, containedTarget(point, mount.target), mount);
      isMounted = true;
    }
    const recursive = mounts.length > 1 || mounts.some((mount) => mount.options.includes('rbind'));
    const fd = libc.openTree(point, { recursive });
    return { fd, close: () => closeSync(fd) };
  } finally {
    if (isMounted) libc.unmount(point, { lazy: true });
  }
}

function containedTarget(point: string, target: string): string {
  if (target.split('/').includes('..'))
    throw new EngineError('Internal', 'mount target leads out of the root');
  return join(point, target);
}

function mountOne(libc: Libc, target: string, mount: Mount): void {
  let flags = 0;
  const data: string[] = [];
  for (const option of mount.options) {
    const bits = flagBits[option];
    if (bits !== undefined) flags |= bits;
    else if (!noFlagOptions.has(option)) data.push(option);
  }
  const isBind = (flags & bind) !== 0;
  if (!isBind) {
    // Nobody runs anything here, and no device of the container's making is opened.
    mountWithShortOptions(libc, { ...mount, target, options: data }, flags | guardFlags);
    return;
  }
  libc.mount({ source: mount.source, target, type: '', flags, data: '' });
  if ((flags & readOnly) === 0) return;
  libc.mount({ source: '', target, type: '', flags: readOnly | remount | bind | guardFlags, data: '' });
}

// mount(2) takes one page of options, which the directories of a hundred layers do not fit in. Named by descriptor they
// are short, whatever is in their names.
function mountWithShortOptions(libc: Libc, mount: Mount, flags: number): void {
  const opened: number[] = [];
  const shorten = (path: string): string => {
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    opened.push(fd);
    return `/proc/self/fd/${fd}`;
  };
  try {
    const options = mount.options.map((option) => shortenOption(option, shorten));
    const { source, target, type } = mount;
    libc.mount({ source, target, type, flags, data: options.join(',') });
  } finally {
    opened.forEach((fd) => closeSync(fd));
  }
}

function shortenOption(option: string, shorten: (path: string) => string): string {
  const match = /^(lowerdir|upperdir|workdir)=(.*)$/s.exec(option);
  const [, name, value] = match ?? [];
  if (name === undefined || value === undefined) return option;
  const paths = name === 'lowerdir' ? value.split(':') : [value];
  return `${name}=${paths.map(shorten).join(':')}`;
}

async function listMounts(process: string): Promise<readonly MountEntry[]> {
  return parseMountInfo(await readFile(`/proc/${process}/mountinfo`, 'utf8'));
}

/** Parses the text of a mountinfo file, in its order: a mount comes after the one it lies on. */
export function parseMountInfo(text: string): readonly MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    const [head, tail] = line.split(' - ');
    if (head === undefined || tail === undefined) continue;
    const [id, parentId, device, root, mountPoint, options] = head.split(' ');
    const [fsType, source, superOptions] = tail.split(' ');
    entries.push({
      id: Number(id),
      parentId: Number(parentId),
      root: unescapeOctal(root ?? ''),
      mountPoint: unescapeOctal(mountPoint ?? ''),
      fsType: fsType ?? '',
      source: unescapeOctal(source ?? ''),
      options: options ?? '',
      superOptions: superOptions ?? '',
      device: device ?? '',
    });
  }
  return entries;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
