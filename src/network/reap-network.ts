import { open, readdir, readlink, rmdir, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

import { messageOf } from '../errors.ts';
import { isErrno, toEngineError } from '../host/errors.ts';
import {
  holdsNamespace,
  listNamespaceFiles,
  removeNamespaceFile,
  type MountCalls,
} from '../host/namespace-file.ts';
import { openNetnsEntry } from '../host/netns.ts';
import type { HostProcesses } from '../host/types.ts';
import { withdrawForwarding } from './forward-permit.ts';
import { isolatedNetnsName, isolatedNetnsPath, jobMark, netnsDirectory, sharedNetnsPath } from './names.ts';
import { createNetTools, type NetTools, type Place } from './net-tools.ts';

/** By what a job's network is found when nothing else is known of it. */
export interface ReapRequest {
  readonly slug: string;
  /** `<run-dir>/<job>`. */
  readonly runDir: string;
  readonly processes: HostProcesses;
  readonly libc: MountCalls;
  /** Path of the namespace that the uplinks lead to, when it is not berth's own. */
  readonly hostNetns?: string | undefined;
}

/** Removes every trace of a job's network, alive or abandoned; answers what could not be removed. Idempotent. */
export async function reapNetwork(request: ReapRequest): Promise<readonly string[]> {
  const { slug, runDir, libc } = request;
  const mark = jobMark(slug);
  const tools = createNetTools(request.processes, await openNetnsEntry(), request.hostNetns);
  const sharedPath = sharedNetnsPath(runDir);
  const isolated = [isolatedNetnsPath(runDir), isolatedNetnsName(slug)];
  const sandboxes = (await listNamespaceFiles(netnsDirectory(runDir))).filter(
    (path) => path !== sharedPath && !isolated.includes(path),
  );
  const isIsolated = (await Promise.all(isolated.map(holdsNamespace))).includes(true);
  const own = await holdAll([...sandboxes, ...isolated]);
  const left: string[] = [];
  const attempt = async (what: string, step: () => Promise<readonly string[]>): Promise<void> => {
    try {
      left.push(...(await step()));
    } catch (error) {
      left.push(`${what}: ${detailOf(error)}`);
    }
  };
  for (const path of sandboxes)
    await attempt(`network namespace ${basename(path)}`, async () => {
      await removeNamespaceFile(libc, path);
      return [];
    });
  const isShared = await holdsNamespace(sharedPath);
  if (isShared) await sweep(tools, { netns: sharedPath }, { mark, attempt });
  if (isIsolated || !isShared) await sweep(tools, 'host', { mark, attempt });
  await attempt('shared network namespace', async () => {
    await removeNamespaceFile(libc, sharedPath);
    return [];
  });
  await attempt(`network namespace ${mark}`, async () => {
    for (const path of isolated) await removeNamespaceFile(libc, path);
    await removeIfEmpty(dirname(isolatedNetnsName(slug)));
    return [];
  });
  await attempt('processes', () => processesIn(own));
  await Promise.all(own.map((namespace) => namespace.close()));
  return left;
}

interface Sweep {
  readonly mark: string;
  readonly attempt: (what: string, step: () => Promise<readonly string[]>) => Promise<void>;
}

async function sweep(tools: NetTools, place: Place, { mark, attempt }: Sweep): Promise<void> {
  await Promise.all([
    attempt('links', () => removeLinks(tools, place, mark)),
    attempt('accept rules', () => withdrawForwarding(tools, place, { mark })),
  ]);
  // After the links: while one is there, what restrains it stays.
  await attempt('rule table', async () => {
    await tools.dropTable(place, mark);
    return [];
  });
}

// A bridge's ports go first: their other ends may be held by processes that outlive the sandbox.
async function removeLinks(tools: NetTools, place: Place, mark: string): Promise<readonly string[]> {
  const links = await tools.show(place, ['link', 'show']);
  const own = new Set(links.filter(({ ifalias }) => ifalias === mark).flatMap(({ ifname }) => ifname ?? []));
  const ports = links.filter(({ master }) => master !== undefined && own.has(master));
  const names = [...ports.flatMap(({ ifname }) => ifname ?? []), ...own];
  await tools.ipAnyway(
    place,
    names.map((name) => `link delete dev ${name}`),
  );
  if (names.length === 0) return [];
  const after = new Set((await tools.show(place, ['link', 'show'])).flatMap(({ ifname }) => ifname ?? []));
  return names.filter((name) => after.has(name)).map((name) => `link ${name}`);
}

async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    // Others have namespaces there, or iproute2 has mounted it.
    if (!isErrno(error, 'ENOTEMPTY', 'EBUSY', 'ENOENT')) throw error;
  }
}

// The kernel gives a namespace's number to the next one as soon as it is free: as long as these are open, nobody else's
// process is taken for one of this job.
async function holdAll(paths: readonly string[]): Promise<readonly FileHandle[]> {
  const openOne = async (path: string): Promise<readonly FileHandle[]> => {
    try {
      return [await open(path, 'r')];
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw toEngineError(error, 'cannot hold a network namespace');
    }
  };
  return (await Promise.all(paths.map(openOne))).flat();
}

// A namespace without a name lives on with its last process, and its links with it.
async function processesIn(namespaces: readonly FileHandle[]): Promise<readonly string[]> {
  const numbers = await Promise.all(namespaces.map(async (namespace) => (await namespace.stat()).ino));
  const targets = new Set(numbers.map((inode) => `net:[${inode}]`));
  if (targets.size === 0) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A process that ended meanwhile is in no namespace.
      const namespace = await readlink(`/proc/${pid}/ns/net`).catch(() => '');
      return targets.has(namespace) ? [`process ${pid} in a network namespace of the job`] : [];
    }),
  );
  return found.flat();
}

function detailOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${messageOf(cause)}`;
}
