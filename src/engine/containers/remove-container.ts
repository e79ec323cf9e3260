import { rm } from 'node:fs/promises';
import { EngineError } from '../../errors.ts';
import { createDeferred } from '../../lib/deferred.ts';
import type { Container } from '../../state/container.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import type { ContainerRef } from '../../state/container-store.ts';
import type { Job } from '../job.ts';
import { removeImageSnapshots } from '../mounts/stage-images.ts';
import { removeContainerVolumes } from '../volumes/remove-container-volumes.ts';
import { containerPaths } from './container-paths.ts';
import { statusOf } from './describe-state.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { closeSession } from './open-session.ts';
import { isLive, isPaused } from './require-running.ts';
import { cancelRestart, requestStop } from './restart-policy-end.ts';
import { ensureReleased } from './release-run.ts';
import { signalContainer } from './signal-container.ts';
import { lastExit } from './wait-container.ts';

const SIGKILL = 9;

/** How `DELETE /containers/{id}` asks. */
export interface RemoveOptions {
  /** Kill it first if it runs. */
  readonly force: boolean;
  /** Remove its anonymous volumes too. */
  readonly removeVolumes: boolean;
  /** True: a refusal is in the words that dockerd has since 25.0. */
  readonly isNewlyWorded?: boolean;
}

/**
 * `docker rm`: Conflict for a running container without force. Gone afterwards for every client, and after a crash, or
 * it can be tried again. What no client can see follows behind (the deletion of the task alone is 35 of 45 ms), and
 * the end of the job waits for it.
 */
export async function removeContainer(
  job: Job,
  containerRef: ContainerRef,
  options: RemoveOptions,
): Promise<void> {
  const container = job.containers.resolve(containerRef);
  if (container.isRemoving)
    throw new EngineError('Conflict', `removal of container ${container.id} is already in progress`);
  if (!options.force) refuseLive(container, options);
  container.isRemoving = true;
  try {
    while (!(await removeStopped(job, container, options)));
  } catch (error) {
    container.isRemoving = false;
    container.isLeavingVolumes = false;
    throw error;
  }
  forgetContainer(job, container);
  await beginDeletion(job, container);
}

/**
 * `--rm`: gone for every client as soon as its anonymous volumes are; the rest, which no client can see, follows
 * behind, and the end of the job waits for it.
 */
export function autoRemoveContainer(job: Job, container: Container): void {
  container.isRemoving = true;
  const removal = removeContainerVolumes(job, container).finally(() => {
    forgetContainer(job, container);
  });
  job.tasks.track('remove volumes', removal);
  const gone = removal.catch(() => undefined).then(() => removeFiles(job, container));
  job.tasks.track(
    'remove container',
    gone.then(() => beginDeletion(job, container)),
  );
}

function refuseLive(container: Container, { isNewlyWorded }: RemoveOptions): void {
  if (!isLive(container)) return;
  const words = isNewlyWorded === true ? newerWords(container) : olderWords(container);
  throw new EngineError('Conflict', words);
}

function newerWords(container: Container): string {
  const what = `cannot remove container "/${container.record.name}": container is ${statusOf(container)}`;
  return isPaused(container)
    ? `${what} and must be unpaused first`
    : `${what}: stop the container before removing or force remove`;
}

function olderWords(container: Container): string {
  const procedure = isPaused(container)
    ? 'Unpause and then stop the container before attempting removal or force remove'
    : 'Stop the container before attempting removal or force remove';
  return `You cannot remove a ${statusOf(container)} container ${container.id}. ${procedure}`;
}

/** False where a start that was under way has given the container a run meanwhile; the next try ends that, and no start can follow. */
async function removeStopped(job: Job, container: Container, options: RemoveOptions): Promise<boolean> {
  await killRun(job, container);
  return job.containers.lock.run(container.id, async () => {
    if (!options.force) refuseLive(container, options);
    if (container.run) return false;
    await closeSession(container);
    if (options.removeVolumes) await removeContainerVolumes(job, container);
    await removeFiles(job, container);
    return true;
  });
}

async function killRun(job: Job, container: Container): Promise<void> {
  await cancelRestart(container);
  const { run } = container;
  if (!run) return;
  await requestStop(job, container);
  if (isPaused(container)) await job.containerd.tasks.resume(container.id);
  await signalContainer(job, container, SIGKILL);
  await run.exited.promise;
}

/** Without its files a container is one that was removed only half: a restart of berth clears it away. */
async function removeFiles(job: Job, container: Container): Promise<void> {
  await ignoreAbsent(job.store.snapshots.remove(container.id));
}

/** Resolves when the deletion has begun: few go on at once, so that clients cannot pile them up behind their answers. */
async function beginDeletion(job: Job, container: Container): Promise<void> {
  const begun = createDeferred<undefined>();
  const deletion = job.deletions.run(() => {
    begun.resolve(undefined);
    return deleteContainer(job, container);
  });
  job.tasks.track('delete container', deletion);
  await begun.promise;
}

/** Removes what is left on the host; each step may be repeated. The record goes last, so that a crash half-way is found again. */
export async function deleteContainer(job: Job, container: Container): Promise<void> {
  await ensureReleased(job, container);
  await closeSession(container);
  await job.logs.remove(container.id);
  await job.binds.unstage(container.id);
  await removeImageSnapshots(job, container.id, container.record.hostConfig);
  await rm(containerPaths(job, container.id).stateDir, { recursive: true, force: true });
  await ignoreAbsent(job.containerd.containers.delete(container.id));
}

function forgetContainer(job: Job, container: Container): void {
  job.containers.releaseName(container.record.name);
  job.containers.remove(container.id);
  for (const execId of container.execIds) job.execs.delete(execId);
  emitContainerEvent(job, container, { action: 'destroy' });
  // Whoever waits for the removal is told of its own errors only, not of why a start had failed. There will be no next exit.
  const end = { ...lastExit(container), error: '' };
  container.removed.resolve(end);
  container.nextExit.resolve(end);
}
