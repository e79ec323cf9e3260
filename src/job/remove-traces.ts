import { readdir, rmdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Containerd } from '../containerd/types.ts';
import { isErrorKind, messageOf } from '../errors.ts';
import { errnoCode } from '../host/errors.ts';
import type { OwnTrees } from '../host/own-trees.ts';
import { createProcessSignals } from '../host/process-signals.ts';
import type { HostCgroups, HostMounts, HostProcesses, Libc } from '../host/types.ts';
import { reapNetwork } from '../network/reap-network.ts';
import { readKeeperIdentity } from '../stdio/keeper.ts';
import { endShims } from './end-shims.ts';
import type { JobNames } from './job-names.ts';
import { removeStaleSocket } from './listen.ts';
import { sweepNamespace } from './sweep-namespace.ts';
import { sweepStore } from './sweep-store.ts';
import { withShimWatch } from './watch-shims.ts';
import { whileItAnswers } from './while-it-answers.ts';

/** The host's parts that a job's traces are removed with. */
export interface HostTools {
  readonly libc: Libc;
  readonly mounts: HostMounts;
  readonly cgroups: HostCgroups;
  readonly processes: HostProcesses;
  readonly trees: OwnTrees;
}

const END_OF_PROCESSES_MS = 3_000;
const POLL_MS = 20;

/**
 * Removes everything that bears the job's name, in the order that lets nothing be used while it goes: containerd's
 * objects, network, cgroup, mounts, directories. Works with nothing but the names; idempotent. Answers what is left.
 */
export async function removeTraces(
  names: JobNames,
  host: HostTools,
  containerd: Containerd | undefined,
): Promise<readonly string[]> {
  const left: string[] = [];
  const attempt = async (what: string, step: () => Promise<readonly string[] | undefined>): Promise<void> => {
    try {
      left.push(...((await step()) ?? []));
    } catch (error) {
      left.push(`${what}: ${messageOf(error)}`);
    }
  };
  const { stateDir, runDir } = names.paths;
  // All at once; told of below, where some cannot be ended.
  await attempt('processes', async () => {
    await endProcesses(names, host);
    return undefined;
  });
  if (containerd) {
    await attempt('containerd', () => whileItAnswers(containerd, sweepObjects(names, host, containerd)));
    await attempt('shims', async () => {
      await endShims(host.processes, containerd);
      return undefined;
    });
  }
  await attempt('output keeper', () => stopKeeper(names, host));
  await attempt('cgroup', () => removeCgroup(names, host));
  await attempt('network', () =>
    reapNetwork({ slug: names.slug, runDir, processes: host.processes, libc: host.libc }),
  );
  await attempt('mounts', async () => {
    await host.mounts.unmountBelow(runDir);
    await host.mounts.unmountBelow(stateDir);
    return undefined;
  });
  // A directory with a live mount below it is never removed recursively: that would empty what is mounted.
  const mounted = await mountsBelow(host.mounts, [runDir, stateDir]);
  left.push(...mounted.map((path) => `mount ${path}`));
  if (mounted.length > 0) return left;
  await attempt('socket', () => removeSocket(names.paths.socket));
  await attempt('run directory', () => removeTree(host, runDir));
  // By it `berth gc` knows that the job was there: it stays as long as anything else does.
  if (left.length === 0) await attempt('state directory', () => removeTree(host, stateDir));
  await removeEmpty([dirname(runDir), dirname(stateDir)]);
  return left;
}

async function sweepObjects(
  { slug }: JobNames,
  { processes }: HostTools,
  containerd: Containerd,
): Promise<readonly string[]> {
  const left = await withShimWatch({ processes, containerd }, () => sweepNamespace(containerd));
  return [...left, ...(await sweepStore(containerd, slug))];
}

async function stopKeeper(names: JobNames, { processes }: HostTools): Promise<undefined> {
  const keeper = await readKeeperIdentity(join(names.paths.runDir, 'io', 'keeper.pid'));
  if (keeper) await processes.kill(keeper, 'SIGKILL');
  return undefined;
}

/** Ends what still runs in the job's cgroup: its processes do not outlive it. Answers what cannot be ended. */
export async function endProcesses(
  { cgroupPath }: Pick<JobNames, 'cgroupPath'>,
  { cgroups, libc }: Pick<HostTools, 'cgroups' | 'libc'>,
): Promise<readonly string[]> {
  const deadline = Date.now() + END_OF_PROCESSES_MS;
  // Each by a descriptor, and while it is in the cgroup: its number may be another process's by now.
  const signals = createProcessSignals(libc);
  const cgroupName = cgroupPath.replace(/^\/+/, '');
  let pids = await cgroups.pids(cgroupPath);
  if (pids.length > 0) await forbidForks(cgroupPath, cgroups);
  while (pids.length > 0 && Date.now() < deadline) {
    for (const pid of pids) signals.send({ pid, cgroupName }, constants.signals.SIGKILL);
    await sleep(POLL_MS);
    pids = await cgroups.pids(cgroupPath);
  }
  return pids.map((pid) => `process ${String(pid)} in cgroup ${cgroupPath}`);
}

// Whoever forks faster than it is found would never be ended. Where nothing counts processes, it is a race that is mostly won.
async function forbidForks(cgroupPath: string, cgroups: HostCgroups): Promise<void> {
  if (cgroups.rootOf('pids') === undefined) return;
  await cgroups.limit(cgroupPath, { memoryBytes: undefined, cpus: undefined, pids: 0 });
}

async function removeCgroup(names: JobNames, host: HostTools): Promise<readonly string[]> {
  const { cgroupPath } = names;
  const left = await endProcesses(names, host);
  if (left.length > 0) return left;
  await host.cgroups.remove(cgroupPath);
  const parent = dirname(cgroupPath);
  if (parent !== '/') await removeEmpty(host.cgroups.paths(parent));
  return [];
}

async function mountsBelow(mounts: HostMounts, directories: readonly string[]): Promise<readonly string[]> {
  return (await mounts.list())
    .map(({ mountPoint }) => mountPoint)
    .filter((path) =>
      directories.some((directory) => path === directory || path.startsWith(`${directory}/`)),
    );
}

/** Another job of the same place may serve there by now: that one is its own. */
async function removeSocket(path: string): Promise<undefined> {
  try {
    await removeStaleSocket(path);
  } catch (error) {
    if (!isErrorKind(error, 'Conflict')) throw error;
  }
  return undefined;
}

async function removeTree({ trees }: HostTools, path: string): Promise<undefined> {
  await trees.remove(path);
  return undefined;
}

/** Shared parents go with the last job; another one's directory in it keeps them. */
async function removeEmpty(directories: readonly string[]): Promise<void> {
  for (const directory of directories) {
    try {
      if ((await readdir(directory, { withFileTypes: true })).every((entry) => !entry.isDirectory()))
        await rmdir(directory);
    } catch (error) {
      if (!['ENOENT', 'ENOTEMPTY', 'EBUSY', 'EEXIST'].includes(errnoCode(error) ?? '')) throw error;
    }
  }
}
