import { setTimeout as sleep } from 'node:timers/promises';
import type { Containerd, SnapshotInfo } from '../containerd/types.ts';
import { EngineError, isErrorKind, messageOf } from '../errors.ts';
import { collectGarbage } from '../engine/images/collect-garbage.ts';
import { ignoreAbsent } from '../engine/ignore-absent.ts';

const SIGKILL = 9;
const MAX_PASSES = 20;
const PASS_MS = 50;
const TASK_END_MS = 5_000;

/**
 * Empties a containerd namespace and removes it, whatever state a crash left it in. Idempotent.
 * Answers what could not be removed, for the report.
 */
export async function sweepNamespace(containerd: Containerd): Promise<readonly string[]> {
  const left: string[] = [];
  const attempt = async (what: string, step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      if (!isErrorKind(error, 'NotFound')) left.push(`${what}: ${messageOf(error)}`);
    }
  };
  const each = async <T>(
    items: readonly T[],
    name: (item: T) => string,
    step: (item: T) => Promise<void>,
  ): Promise<void> => {
    await Promise.all(items.map((item) => attempt(name(item), () => step(item))));
  };
  await attempt('tasks', async () => {
    await each(
      await containerd.tasks.list(),
      (task) => `task ${task.containerId}`,
      // Once more: what waited for a shim that was ended fails, and containerd removes what the shim has left.
      ({ containerId }) => endTask(containerd, containerId).catch(() => endTask(containerd, containerId)),
    );
  });
  await attempt('containers', async () => {
    await each(
      await containerd.containers.list(),
      ({ id }) => `container ${id}`,
      ({ id }) => containerd.containers.delete(id),
    );
  });
  // While the lease holds them: what containerd's collector takes leaves its name with its parent, which then cannot be
  // removed any more (containerd 1.6); a parent that this has happened to can only be collected itself.
  await attempt('snapshots', async () => {
    await removeLeafFirst(containerd);
  });
  await attempt('leases', async () => {
    await each(
      await containerd.leases.list(),
      ({ id }) => `lease ${id}`,
      ({ id }) => containerd.leases.delete(id),
    );
  });
  await attempt('images', async () => {
    await each(
      await containerd.images.list(),
      ({ name }) => `image ${name}`,
      ({ name }) => containerd.images.delete(name),
    );
  });
  await attempt('content', () => removeContent(containerd));
  await attempt('snapshots', () => removeSnapshots(containerd));
  // What was removed above is only out of containerd's index. The snapshotter's own names begin with a number that
  // starts anew with the namespace: the same job's next layer would meet the old one's files, and disk be full of them.
  await attempt('garbage', () => collectGarbage(containerd));
  await attempt(`namespace ${containerd.namespace}`, () =>
    containerd.namespaces.delete(containerd.namespace),
  );
  return left;
}

async function endTask(containerd: Containerd, containerId: string): Promise<void> {
  // A kill starts runc, also for one that has ended.
  if ((await containerd.tasks.get({ containerId })).status !== 'stopped') {
    await ignoreAbsent(containerd.tasks.kill({ containerId, signal: SIGKILL, all: true }));
    await containerd.tasks.wait({ containerId }, AbortSignal.timeout(TASK_END_MS)).catch(() => undefined);
  }
  await containerd.tasks.delete(containerId);
}

/** containerd's own collector may be at work on the same ones, and has to take those that cannot be removed. */
async function removeSnapshots(containerd: Containerd): Promise<void> {
  let failure: EngineError | undefined;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    if ((await containerd.snapshots.list()).length === 0) return;
    if (pass > 0) await sleep(PASS_MS);
    await collectGarbage(containerd);
    failure = await removeLeafFirst(containerd);
  }
  if (failure) throw failure;
}

/** Leaf first: a snapshot with children cannot be removed. Answers why one was not. */
async function removeLeafFirst(containerd: Containerd): Promise<EngineError | undefined> {
  const snapshots = containerd.snapshots;
  let failure: EngineError | undefined;
  let remaining = await snapshots.list();
  while (remaining.length > 0) {
    const leaves = leavesOf(remaining);
    for (const { name } of leaves)
      await ignoreAbsent(snapshots.remove(name)).catch((error: unknown) => {
        failure = new EngineError('Internal', messageOf(error), { cause: error });
      });
    const tried = new Set(leaves.map(({ name }) => name));
    remaining = remaining.filter(({ name }) => !tried.has(name));
  }
  return failure;
}

function leavesOf(snapshots: readonly SnapshotInfo[]): readonly SnapshotInfo[] {
  const parents = new Set(snapshots.map(({ parent }) => parent));
  return snapshots.filter(({ name }) => !parents.has(name));
}

async function removeContent(containerd: Containerd): Promise<void> {
  for (const { ref } of await containerd.content.statuses())
    await ignoreAbsent(containerd.content.abort(ref));
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const blobs = await containerd.content.list();
    if (blobs.length === 0) return;
    for (const { digest } of blobs) await ignoreAbsent(containerd.content.delete(digest));
    // containerd's own collector may be at work on the same blobs.
    if (pass > 0) await sleep(PASS_MS);
  }
}
