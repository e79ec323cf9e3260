import { createDeferred } from '../../lib/deferred.ts';
import type { Container, ContainerRecord, ContainerState, ExitStatus } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { hasRestarts, restartDelayMs } from './restart-policy.ts';
import { updateRecord } from './update-record.ts';

/** How a run ended, and since when it had run. */
export interface RunEnd {
  readonly startedAt: string;
  readonly status: ExitStatus;
}

/** What becomes of the record at the end of a run: exited, or restarting with the restart pending. */
export function settleRunEnd(
  container: Container,
  { startedAt, status }: RunEnd,
): Pick<ContainerRecord, 'state' | 'restartCount'> {
  const { hostConfig, isStopRequested, restartCount } = container.record;
  const delayMs = restartDelayMs(hostConfig.RestartPolicy, {
    exitCode: status.exitCode,
    ranMs: Date.parse(status.finishedAt) - Date.parse(startedAt),
    isStopRequested: isStopRequested || container.isRemoving,
    restartCount,
    lastDelayMs: container.restartDelayMs,
  });
  if (delayMs === undefined) return { state: { status: 'exited', startedAt, ...status }, restartCount };
  expectRestart(container, delayMs);
  return { state: { status: 'restarting', startedAt, ...status }, restartCount: restartCount + 1 };
}

/** Makes the container's next restart pending; `restartLater` carries it out. */
export function expectRestart(container: Container, delayMs: number): void {
  container.restartDelayMs = delayMs;
  container.pendingRestart = { delayMs, cancel: new AbortController(), settled: createDeferred() };
}

/** Notes that a user wants the container to end and to stay so, before it is told. */
export async function requestStop(job: Job, container: Container): Promise<void> {
  if (container.record.isStopRequested) return;
  // Written through where a restart after a crash would depend on it.
  if (hasRestarts(container.record.hostConfig.RestartPolicy))
    await updateRecord(job, container, { isStopRequested: true });
  else container.record = { ...container.record, isStopRequested: true };
}

/** Gives a pending restart up; answers whether there was one. It may have been too late: the container may run afterwards. */
export async function cancelRestart(container: Container): Promise<boolean> {
  const { pendingRestart } = container;
  if (!pendingRestart) return false;
  pendingRestart.cancel.abort();
  await pendingRestart.settled.promise;
  return true;
}

/** A container whose restart will not come has ended: whoever waits for that is told. */
export async function stayStopped(job: Job, container: Container): Promise<void> {
  const { state } = container.record;
  if (state.status !== 'restarting') return;
  const exited: ContainerState = { ...state, status: 'exited' };
  const stored = updateRecord(job, container, { state: exited });
  settleNextExit(container, exited);
  await stored;
}

/** Tells whoever waits for the container's next end, and begins anew. */
export function settleNextExit(container: Container, status: ExitStatus): void {
  const { nextExit } = container;
  container.nextExit = createDeferred();
  nextExit.resolve(status);
}
