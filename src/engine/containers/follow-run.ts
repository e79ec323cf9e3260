import type { ExitStatus as TaskExit } from '../../containerd/types.ts';
import { formatTimeNs } from '../../lib/clock.ts';
import type { Container, ContainerRun, ExitStatus } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { emitMembership } from '../networks/emit-network-event.ts';
import { awaitTaskExit } from './await-task-exit.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { emitVolumesUnmounted } from './emit-volume-mounts.ts';
import { stopHealthChecks } from './health-monitor.ts';
import { noticeOom } from './notice-oom.ts';
import { releaseRun, type HeldByRun } from './release-run.ts';
import { autoRemoveContainer } from './remove-container.ts';
import { settleNextExit, settleRunEnd } from './restart-policy-end.ts';
import { updateRecord } from './update-record.ts';

/** How long a client that does not read may hold up what is left of the output after the exit. */
const STUCK_CLIENT_MS = 10_000;

/** Follows a running container to its end: output drained, exit recorded, waiters told, then everything released. */
export async function followRun(job: Job, container: Container, exit: Promise<TaskExit>): Promise<void> {
  const { run } = container;
  if (!run) return;
  const taskExit = await awaitTaskExit(job, { containerId: container.id }, exit);
  // Before anybody hears of the end, as in dockerd: then its networks can be removed and its ports taken.
  const networkClosed = job.network.closeSandbox(container.id);
  await Promise.allSettled([networkClosed, drainOutput(job, container, run)]);
  await noticeOom(job, container);
  await job.containers.lock.run(container.id, () =>
    becomeExited(job, container, { run, taskExit, networkClosed }),
  );
}

async function drainOutput(job: Job, container: Container, run: ContainerRun): Promise<void> {
  const { io, clients } = run.session;
  if (!(await io.drainWithin(STUCK_CLIENT_MS))) {
    job.log.warn(
      { containerId: container.id, clients: clients.size },
      'attached clients do not read and are dropped',
    );
    for (const drop of [...clients]) drop();
    if (!(await io.drainWithin(STUCK_CLIENT_MS)))
      job.log.error({ containerId: container.id }, 'output of an ended container was cut');
  }
  try {
    await run.logWriter?.close();
  } catch (error) {
    // A full disk costs the log its end; it must not cost those who wait for the exit its code.
    job.log.error(
      { err: error, containerId: container.id },
      'log of an ended container could not be written out',
    );
  }
}

async function becomeExited(
  job: Job,
  container: Container,
  ended: {
    readonly run: ContainerRun;
    readonly taskExit: TaskExit & { readonly error: string };
    readonly networkClosed: Promise<void>;
  },
): Promise<void> {
  const { run, taskExit, networkClosed } = ended;
  const { state } = container.record;
  const startedAt = state.status === 'running' ? state.startedAt : '';
  const status: ExitStatus = {
    exitCode: taskExit.exitStatus,
    finishedAt: taskExit.exitedAt
      ? formatTimeNs(BigInt(taskExit.exitedAt.getTime()) * 1_000_000n)
      : formatTimeNs(job.nowNs()),
    isOomKilled: run.oomKills > 0,
    error: taskExit.error,
  };
  container.run = undefined;
  stopHealthChecks(container);
  const stored = updateRecord(job, container, settleRunEnd(container, { startedAt, status }));
  // Whoever attaches from now on is of the next run, and waits for the release of this one.
  container.session = undefined;
  container.released = release(job, container, { stored, held: { session: run.session, networkClosed } });
  job.tasks.track('release container', container.released);
  emitContainerEvent(job, container, { action: 'die', attributes: { exitCode: String(status.exitCode) } });
  emitMembership(job, container, 'disconnect');
  emitVolumesUnmounted(job, container);
  run.exited.resolve(status);
  settleNextExit(container, status);
  const isAutoRemoved =
    container.record.hostConfig.AutoRemove && !run.isRestartRequested && !container.isRemoving;
  if (isAutoRemoved) autoRemoveContainer(job, container);
  return Promise.resolve();
}

/** The exit is stored before the task goes: one of the two always knows it. */
async function release(
  job: Job,
  container: Container,
  ended: { readonly stored: Promise<void>; readonly held: Required<HeldByRun> },
): Promise<boolean> {
  try {
    await ended.stored;
    await releaseRun(job, container, ended.held);
    return true;
  } catch (error) {
    job.log.error({ err: error, containerId: container.id }, 'release of an ended container failed');
    await ended.held.session.io.dispose();
    return false;
  }
}
