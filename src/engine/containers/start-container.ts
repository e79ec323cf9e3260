import { EngineError } from '../../errors.ts';
import { createCleanupStack, type CleanupStack } from '../../lib/cleanup-stack.ts';
import { formatTimeNs } from '../../lib/clock.ts';
import { createDeferred } from '../../lib/deferred.ts';
import type {
  Container,
  ContainerRecord,
  ContainerRun,
  ContainerState,
  StreamSession,
} from '../../state/container.ts';
import type { ContainerRef } from '../../state/container-store.ts';
import type { Job } from '../job.ts';
import { readmitContainer, storeContainerSpec } from './container-spec.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { emitVolumesMounted } from './emit-volume-mounts.ts';
import { followRun } from './follow-run.ts';
import { startHealthChecks } from './health-monitor.ts';
import { openSharedMemory, withJoinedNamespaces } from './join-namespaces.ts';
import { joinNetwork, tellLinkingContainers } from './join-network.ts';
import { closeSession, openSession } from './open-session.ts';
import { ensureReleased } from './release-run.ts';
import { removeContainer } from './remove-container.ts';
import { isLive, isPaused } from './require-running.ts';
import { requireOwnPlaces } from './require-own-places.ts';
import { restartLater } from './restart-policy-loop.ts';
import { describeStartFailure, type StartFailure } from './start-error.ts';
import { tellFullJob } from './tell-full-job.ts';
import { startInTime } from './start-in-time.ts';
import { updateRecord } from './update-record.ts';

const SIGKILL = 9;

/** `docker start`: NotModified when it runs. A failure undoes what was begun and is kept in the container's state. */
export async function startContainer(job: Job, containerRef: ContainerRef): Promise<void> {
  const container = job.containers.resolve(containerRef);
  const failure = await job.containers.lock.run(container.id, async () => {
    refuseStart(container);
    return tryStart(job, container, { restartCount: 0, isStopRequested: false });
  });
  if (!failure) return;
  if (container.record.hostConfig.AutoRemove && !container.isRemoving)
    await removeContainer(job, container.id, { force: true, removeVolumes: true });
  throw failure.error;
}

/** Starts a container again as its restart policy has it; a failure ends the restarts. Asked behind the container's lock. */
export async function startAgain(job: Job, container: Container): Promise<boolean> {
  return (await tryStart(job, container, {})) === undefined;
}

function refuseStart(container: Container): void {
  if (isPaused(container))
    throw new EngineError('Conflict', 'cannot start a paused container, try unpause instead');
  if (isLive(container)) throw new EngineError('NotModified', `Container ${container.id} is already running`);
  if (container.isRemoving)
    throw new EngineError('Conflict', 'container is marked for removal and cannot be started');
}

/** What a start changes in the record besides the state: one by a user begins the count of restarts anew. */
type StartMarks = Partial<Pick<ContainerRecord, 'restartCount' | 'isStopRequested'>>;

async function tryStart(
  job: Job,
  container: Container,
  marks: StartMarks,
): Promise<StartFailure | undefined> {
  const undo = createCleanupStack((step, error) => {
    job.log.error({ err: error, containerId: container.id, step }, 'undo of container start failed');
  });
  try {
    await runContainer(job, container, { undo, marks });
    undo.commit();
    return undefined;
  } catch (error) {
    const described = describeStartFailure(error);
    const failure = { ...described, error: await tellFullJob(job, described.error) };
    job.log.warn({ containerId: container.id, reason: failure.error.message }, 'container did not start');
    await undo.dispose();
    await updateRecord(job, container, { state: failedState(container.record.state, failure) });
    return failure;
  }
}

async function runContainer(
  job: Job,
  container: Container,
  { undo, marks }: { readonly undo: CleanupStack; readonly marks: StartMarks },
): Promise<void> {
  await ensureReleased(job, container);
  const admitted = readmitContainer(job, container);
  // The create has looked at it before anybody could have written to it.
  if (container.record.isRootfsTouched) await requireOwnPlaces(job, container.record, container.rootMounts);
  await joinNetwork(job, container, undo);
  await openSharedMemory(job, container, undo);
  await storeContainerSpec(job, container, admitted);
  undo.defer('streams', () => closeSession(container));
  const session = await openSession(job, container);
  const logWriter = await openLog(job, container, { session, undo });
  await withJoinedNamespaces(job, container, () => createTask(job, container, { session, undo }));
  // Registered before the start: a process that ends at once is not missed.
  const exit = job.containerd.tasks.wait({ containerId: container.id });
  exit.catch(() => undefined);
  // Before it runs: a client that asks for the log since then is to get all of this run's.
  const startedAt = formatTimeNs(job.nowNs());
  const { pid } = await job.containerd.tasks.start({ containerId: container.id });
  container.run = {
    session,
    logWriter,
    exited: createDeferred(),
    oomKills: 0,
    isRestartRequested: false,
  };
  const running: ContainerState = {
    status: 'running',
    pid,
    startedAt,
    isPaused: false,
    ...lastEnd(container.record.state),
  };
  job.tasks.track(
    'store container start',
    updateRecord(job, container, { state: running, isRootfsTouched: true, ...marks }),
  );
  emitVolumesMounted(job, container);
  emitContainerEvent(job, container, { action: 'start' });
  job.tasks.track('tell linking containers', tellLinkingContainers(job, container));
  startHealthChecks(job, container);
  if (marks.restartCount === 0) container.restartDelayMs = 0;
  job.tasks.track('follow container', superviseRun(job, container, exit));
}

function lastEnd(state: ContainerState): { readonly lastFinishedAt?: string } {
  return 'finishedAt' in state ? { lastFinishedAt: state.finishedAt } : {};
}

/** Follows a run to its end, and does what the restart policy says then. */
export async function superviseRun(
  job: Job,
  container: Container,
  exit: Parameters<typeof followRun>[2],
): Promise<void> {
  await followRun(job, container, exit);
  await restartLater(job, container, startAgain);
}

async function openLog(
  job: Job,
  container: Container,
  streams: { readonly session: StreamSession; readonly undo: CleanupStack },
): Promise<ContainerRun['logWriter']> {
  if (container.record.hostConfig.LogConfig.Type === 'none') return undefined;
  const writer = await job.logs.openWriter(container.id);
  streams.undo.defer('log', () => writer.close());
  streams.session.io.addSink({ write: (chunk) => writer.write(chunk), end: () => undefined });
  return writer;
}

async function createTask(
  job: Job,
  container: Container,
  streams: { readonly session: StreamSession; readonly undo: CleanupStack },
): Promise<void> {
  const { tasks } = job.containerd;
  const { io, taskCreated } = streams.session;
  await startInTime(job, { containerId: container.id }, async () => {
    await tasks.create({
      containerId: container.id,
      rootfs: container.rootMounts,
      ...io.paths,
      terminal: container.record.config.Tty,
      runtimeOptions: job.runtimeOptions,
    });
    streams.undo.defer('task', async () => {
      await tasks.kill({ containerId: container.id, signal: SIGKILL }).catch(() => undefined);
      await tasks.wait({ containerId: container.id }).catch(() => undefined);
      await tasks.delete(container.id);
    });
  });
  io.taskCreated();
  taskCreated.resolve();
}

/** A container that never ran stays `created`, as in dockerd; one that ran stays `exited`; both with the new error. */
function failedState(state: ContainerState, failure: StartFailure): ContainerState {
  const { exitCode, error } = failure;
  if (state.status === 'exited' || state.status === 'restarting')
    return { ...state, exitCode, error: error.message };
  return { status: 'created', lastError: error.message, lastExitCode: exitCode };
}
