import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerdContainer, TaskProcess } from '../../containerd/types.ts';
import { isErrorKind } from '../../errors.ts';
import { formatTimeNs } from '../../lib/clock.ts';
import { createDeferred } from '../../lib/deferred.ts';
import type { Container, StreamSession } from '../../state/container.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import type { Job } from '../job.ts';
import { specText } from './container-spec.ts';
import { onInitLayer } from './init-layer.ts';
import { closeSharedMemory } from './join-namespaces.ts';
import { sandboxRequestOf } from './join-network.ts';
import { newContainer } from './new-container.ts';
import { closeSession } from './open-session.ts';
import { releaseRun } from './release-run.ts';
import { autoRemoveContainer, deleteContainer } from './remove-container.ts';
import { startHealthChecks, stopHealthChecks } from './health-monitor.ts';
import { expectRestart, settleRunEnd } from './restart-policy-end.ts';
import { restartLater } from './restart-policy-loop.ts';
import { startAgain, superviseRun } from './start-container.ts';
import { decodeRecord, RECORD_EXTENSION } from './stored-record.ts';

/** What Docker reports for a process whose end nobody saw. */
const UNKNOWN_EXIT = 255;
const SIGKILL = 9;

/** Takes over what an earlier berth of this job left: containers, and the output and ends of those that ran on. */
export async function recoverContainers(job: Job): Promise<void> {
  const [stored, tasks] = await Promise.all([job.containerd.containers.list(), job.containerd.tasks.list()]);
  // Of a start that was under way: nobody is to enter a namespace by these any more.
  await job.namespacePins.clear();
  const taskById = new Map(tasks.map((task) => [task.containerId, task]));
  for (const record of stored) {
    const container = await restoreContainer(job, record);
    if (container) await tryRestoreRun(job, container, taskById.get(container.id));
  }
  await dropDirectories(job);
}

/** Those of containers that were being made when the last process ended. */
async function dropDirectories(job: Job): Promise<void> {
  const directory = join(job.paths.stateDir, 'containers');
  for (const name of await readdir(directory))
    if (!job.containers.get(name)) await rm(join(directory, name), { recursive: true, force: true });
}

/** The container as it was; one that was made or removed only half is cleared away. */
async function restoreContainer(job: Job, stored: ContainerdContainer): Promise<Container | undefined> {
  const record = decodeRecord(stored.extensions[RECORD_EXTENSION]);
  try {
    const snapshot = await job.store.snapshots.mounts(record.id);
    const container = newContainer(record, onInitLayer(snapshot, await job.initLayer()));
    container.storedSpec = specText(stored.spec);
    job.containers.reserveName(record.name, record.id);
    job.containers.add(container);
    await job.logs.count(record.id);
    return container;
  } catch (error) {
    if (!isErrorKind(error, 'NotFound')) throw error;
    job.log.warn({ containerId: record.id }, 'removed what was left of a half-removed container');
    await deleteContainer(job, { ...newContainer(record, []), released: Promise.resolve(false) });
    return undefined;
  }
}

/** A run that cannot be taken over (its FIFOs are gone, for one) is ended: the other containers are served all the same. */
async function tryRestoreRun(job: Job, container: Container, task: TaskProcess | undefined): Promise<void> {
  try {
    await restoreRun(job, container, task);
  } catch (error) {
    job.log.error({ err: error, containerId: container.id }, 'a running container could not be taken over');
    await ignoreAbsent(job.containerd.tasks.kill({ containerId: container.id, signal: SIGKILL, all: true }));
    await ignoreAbsent(job.containerd.tasks.wait({ containerId: container.id }));
    await closeSession(container);
    await releaseRun(job, container);
    const { state } = container.record;
    endUnseen(job, container, state.status === 'running' ? state.startedAt : container.record.createdAt);
  }
}

async function restoreRun(job: Job, container: Container, task: TaskProcess | undefined): Promise<void> {
  const { record } = container;
  if (task && task.status !== 'created') {
    await adoptRun(job, container, task);
    return;
  }
  // A task that was never let run, or none: the start did not happen, or the end was not seen.
  if (task) await job.containerd.tasks.delete(container.id);
  await closeSharedMemory(job, container);
  if (record.state.status === 'running') endUnseen(job, container, record.state.startedAt);
  else if (record.state.status === 'restarting') expectRestart(container, 0);
  job.tasks.track('restart container', restartLater(job, container, startAgain));
}

async function adoptRun(job: Job, container: Container, task: TaskProcess): Promise<void> {
  const { record } = container;
  const session = await adoptSession(job, container);
  container.session = Promise.resolve(session);
  await job.network.adoptSandbox(sandboxRequestOf(container), record);
  const logWriter =
    record.hostConfig.LogConfig.Type === 'none' ? undefined : await job.logs.openWriter(container.id);
  if (logWriter) session.io.addSink({ write: (chunk) => logWriter.write(chunk), end: () => undefined });
  session.io.taskCreated();
  session.taskCreated.resolve();
  container.run = {
    session,
    logWriter,
    exited: createDeferred(),
    oomKills: 0,
    isRestartRequested: false,
  };
  const { state: known } = record;
  const startedAt = known.status === 'running' ? known.startedAt : record.createdAt;
  const lastFinishedAt = known.status === 'running' ? known.lastFinishedAt : undefined;
  container.record = {
    ...record,
    isRootfsTouched: true,
    state: {
      status: 'running',
      pid: task.pid,
      startedAt,
      isPaused: task.status === 'paused',
      ...(lastFinishedAt === undefined ? {} : { lastFinishedAt }),
    },
  };
  startHealthChecks(job, container);
  if (task.status === 'paused') stopHealthChecks(container);
  const exit = job.containerd.tasks.wait({ containerId: container.id });
  exit.catch(() => undefined);
  job.tasks.track('follow container', superviseRun(job, container, exit));
}

async function adoptSession(job: Job, container: Container): Promise<StreamSession> {
  const { OpenStdin: stdin, Tty: terminal } = container.record.config;
  const io = await job.stdio.adopt({ id: container.id, stdin, terminal, keep: true });
  return { io, taskCreated: createDeferred(), clients: new Set() };
}

/** The end of a run that nobody saw is an end all the same: `--rm` and the restart policy hold. */
function endUnseen(job: Job, container: Container, startedAt: string): void {
  job.log.warn({ containerId: container.id }, 'a container ended while nobody watched');
  const status = {
    exitCode: UNKNOWN_EXIT,
    finishedAt: formatTimeNs(job.nowNs()),
    isOomKilled: false,
    error: '',
  };
  container.record = { ...container.record, ...settleRunEnd(container, { startedAt, status }) };
  if (container.record.hostConfig.AutoRemove) autoRemoveContainer(job, container);
}
