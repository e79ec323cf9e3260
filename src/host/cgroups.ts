import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { EngineError } from '../errors.ts';
import { readCpuset, readLimits, writeLimits } from './cgroup-limits.ts';
import { isErrno, toEngineError } from './errors.ts';
import { parseMountInfo } from './mounts.ts';
import type { CgroupMode, HostCgroups } from './types.ts';

/** One mounted hierarchy of cgroups. */
interface Hierarchy {
  readonly directory: string;
  /** Empty for v2's only one; `name=…` is among them for a v1 hierarchy without a controller. */
  readonly controllers: readonly string[];
}

interface Layout {
  readonly mode: CgroupMode;
  readonly controllers: readonly string[];
  readonly hierarchies: readonly Hierarchy[];
}

/** Reads how cgroups are mounted here; Unavailable where they are not. */
export async function createHostCgroups(mountInfoPath = '/proc/self/mountinfo'): Promise<HostCgroups> {
  const layout = await readLayout(mountInfoPath);
  const paths = (cgroup: string): string[] => {
    const relative = checkedPath(cgroup);
    return layout.hierarchies.map(({ directory }) => join(directory, relative));
  };
  const existing = async (cgroup: string): Promise<string[]> => {
    const found = await Promise.all(paths(cgroup).map(isDirectory));
    return paths(cgroup).filter((_, index) => found[index]);
  };
  const tree = {
    mode: layout.mode,
    rootOf: (controller: string): string | undefined => rootOf(layout, controller),
  };
  return {
    ...tree,
    controllers: layout.controllers,
    paths,
    create: (cgroup) => createEverywhere(layout, checkedPath(cgroup)),
    async pids(cgroup) {
      const lists = await Promise.all((await existing(cgroup)).map(pidsBelow));
      return [...new Set(lists.flat())];
    },
    async remove(cgroup) {
      for (const directory of await existing(cgroup)) await removeTree(directory);
    },
    exists: async (cgroup) => (await existing(cgroup)).length > 0,
    limit: (cgroup, limits) => writeLimits(tree, checkedPath(cgroup), limits),
    limitsOf: (cgroup) => readLimits(tree, checkedPath(cgroup)),
    cpusetOf: (cgroup) => readCpuset(tree, checkedPath(cgroup)),
    ofProcess: (pid, controller) => findCgroupOf(layout, pid, controller),
  };
}

async function readLayout(mountInfoPath: string): Promise<Layout> {
  const mounts = parseMountInfo(await readFile(mountInfoPath, 'utf8'));
  const v1 = new Map<string, Hierarchy>();
  for (const mount of mounts) {
    if (mount.fsType !== 'cgroup') continue;
    const controllers = mount.superOptions
      .split(',')
      .filter((option) => !['rw', 'ro', 'xattr'].includes(option));
    v1.set(controllers.join(','), { directory: mount.mountPoint, controllers });
  }
  const hierarchies = [...v1.values()];
  const unified = mounts.find(({ fsType }) => fsType === 'cgroup2');
  if (hierarchies.some(({ controllers }) => controllers.includes('memory') || controllers.includes('pids'))) {
    const names = hierarchies.flatMap(({ controllers }) => controllers).filter((name) => !name.includes('='));
    // On a hybrid host the runtime makes its cgroups in the unified hierarchy as well.
    const all = unified ? [...hierarchies, { directory: unified.mountPoint, controllers: [] }] : hierarchies;
    return { mode: 'v1', controllers: names, hierarchies: all };
  }
  if (!unified) throw new EngineError('Unavailable', 'cgroups are not mounted on this host');
  const controllers = words(await readFile(join(unified.mountPoint, 'cgroup.controllers'), 'utf8'));
  return { mode: 'v2', controllers, hierarchies: [{ directory: unified.mountPoint, controllers: [] }] };
}

function checkedPath(cgroup: string): string {
  const parts = cgroup.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..') || cgroup.includes('\0')) {
    throw new EngineError('InvalidArgument', `invalid cgroup path: ${cgroup}`);
  }
  return parts.join('/');
}

function rootOf({ mode, controllers, hierarchies }: Layout, controller: string): string | undefined {
  if (mode === 'v2') return controllers.includes(controller) ? hierarchies[0]?.directory : undefined;
  return hierarchies.find((hierarchy) => hierarchy.controllers.includes(controller))?.directory;
}

async function createEverywhere({ mode, hierarchies }: Layout, relative: string): Promise<void> {
  try {
    for (const hierarchy of hierarchies) {
      let directory = hierarchy.directory;
      for (const part of relative.split('/')) {
        if (mode === 'v2') await handDown(directory);
        directory = join(directory, part);
        await mkdir(directory, { recursive: true, mode: 0o755 });
        if (hierarchy.controllers.includes('cpuset')) await inheritCpuset(directory);
        if (hierarchy.controllers.includes('memory')) await countBelow(directory);
      }
      if (mode === 'v2') await handDown(directory);
    }
  } catch (error) {
    throw toEngineError(error, `cannot make cgroup ${relative}`);
  }
}

// One write per controller: the kernel takes all of a line or nothing.
async function handDown(directory: string): Promise<void> {
  const enabled = words(await readFile(join(directory, 'cgroup.subtree_control'), 'utf8'));
  for (const controller of words(await readFile(join(directory, 'cgroup.controllers'), 'utf8'))) {
    if (enabled.includes(controller)) continue;
    await writeFile(join(directory, 'cgroup.subtree_control'), `+${controller}`);
  }
}

// A v1 cpuset starts empty, and no process can be put into an empty one.
async function inheritCpuset(directory: string): Promise<void> {
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    if ((await readFile(join(directory, name), 'utf8')).trim() !== '') continue;
    await writeFile(join(directory, name), await readFile(join(dirname(directory), name), 'utf8'));
  }
}

// Before Linux 5.11 a v1 memory limit holds for what is below only where it is told so, before anything is below.
async function countBelow(directory: string): Promise<void> {
  const file = join(directory, 'memory.use_hierarchy');
  const text = await readFile(file, 'utf8').catch(() => '');
  if (text.trim() === '0') await writeFile(file, '1');
}

async function children(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
}

async function pidsBelow(directory: string): Promise<number[]> {
  try {
    const own = words(await readFile(join(directory, 'cgroup.procs'), 'utf8')).map(Number);
    const below = await Promise.all((await children(directory)).map(pidsBelow));
    return [...own, ...below.flat()];
  } catch (error) {
    // ENODEV: the cgroup was removed after the file was opened.
    if (isErrno(error, 'ENOENT', 'ENODEV')) return [];
    throw toEngineError(error, 'cannot list the processes of a cgroup');
  }
}

async function removeTree(directory: string): Promise<void> {
  try {
    for (const child of await children(directory)) await removeTree(child);
    await rmdir(directory);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw toEngineError(error, 'cannot remove a cgroup');
  }
}

async function findCgroupOf(layout: Layout, pid: number, controller: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/cgroup`, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw toEngineError(error, `cannot read the cgroup of process ${pid}`);
  }
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    const [, names = '', path] = match ?? [];
    const isWanted = layout.mode === 'v2' ? names === '' : names.split(',').includes(controller);
    if (path !== undefined && isWanted) return path;
  }
  return undefined;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw toEngineError(error, 'cannot look at a cgroup');
  }
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
