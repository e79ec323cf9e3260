import { EngineError, isErrorKind } from '../../errors.ts';
import { createCleanupStack, type CleanupStack } from '../../lib/cleanup-stack.ts';
import { createDeferred } from '../../lib/deferred.ts';
import type { Container, StreamSession } from '../../state/container.ts';
import type { Exec } from '../../state/exec.ts';
import { awaitTaskExit } from '../containers/await-task-exit.ts';
import { openClientPlace, type ClientStreams } from '../containers/connect-client.ts';
import { emitContainerEvent } from '../containers/emit-container-event.ts';
import { parseDetachKeys } from '../containers/parse-detach-keys.ts';
import { isPaused, requireRunning } from '../containers/require-running.ts';
import { describeStartFailure } from '../containers/start-error.ts';
import { startInTime } from '../containers/start-in-time.ts';
import { tellFullJob } from '../containers/tell-full-job.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import type { Job } from '../job.ts';
import { buildExecSpec } from './exec-spec.ts';
import { execAction } from './exec-action.ts';
import { findExec } from './find-exec.ts';

/** How long a child that keeps the output open may hold up the end of an exec, as in dockerd. */
const OPEN_OUTPUT_MS = 2_000;
const SIGKILL = 9;

/** How `POST /exec/{id}/start` asks. */
export interface ExecStart {
  /** undefined: detached. */
  readonly client: ClientStreams | undefined;
  readonly consoleSize: readonly [height: number, width: number] | undefined;
  /** Called once the process runs. */
  readonly onStarted?: () => void;
}

/** Checks that the exec can start now: NotFound, or Conflict; to be asked before the connection is taken over. */
export function requireStartable(job: Job, execRef: string): Exec {
  const exec = findExec(job, execRef);
  const container = job.containers.resolve(exec.containerId);
  requireRunning(container);
  if (isPaused(container))
    throw new EngineError(
      'Conflict',
      `Container ${container.id} is paused, unpause the container before exec`,
    );
  if (exec.state.status === 'exited')
    throw new EngineError('Conflict', `Error: Exec command ${exec.id} has already run`);
  if (exec.state.status !== 'created')
    throw new EngineError('Conflict', `Error: Exec command ${exec.id} is already running`);
  return exec;
}

/** Starts the exec; with a client it resolves at the end of the exchange, detached as soon as it runs. */
export async function startExec(job: Job, execRef: string, start: ExecStart): Promise<void> {
  const exec = requireStartable(job, execRef);
  const container = job.containers.resolve(exec.containerId);
  exec.state = { status: 'starting' };
  // Told before it is tried, as in dockerd: a start that fails is told too.
  emitContainerEvent(job, container, {
    action: execAction('exec_start', exec.request),
    attributes: { execID: exec.id },
  });
  const undo = createCleanupStack((step, error) => {
    job.log.error({ err: error, execId: exec.id, step }, 'undo of exec start failed');
  });
  try {
    const conversation = await runExec(job, { exec, container, start, undo });
    undo.commit();
    await conversation;
  } catch (error) {
    await undo.dispose();
    throw await tellFullJob(job, recordFailure(exec, error));
  }
}

interface Starting {
  readonly exec: Exec;
  readonly container: Container;
  readonly start: ExecStart;
  readonly undo: CleanupStack;
}

async function runExec(job: Job, starting: Starting): Promise<Promise<unknown>> {
  const { exec, container, start, undo } = starting;
  const { tasks } = job.containerd;
  const process = { containerId: container.id, execId: exec.id };
  const io = await job.stdio.open({
    id: exec.id,
    stdin: exec.request.attachStdin,
    terminal: exec.request.tty,
  });
  undo.defer('streams', () => io.dispose());
  const session: StreamSession = { io, taskCreated: createDeferred(), clients: new Set() };
  const place = start.client ? openClientPlace(session, connectOptions(job, exec, session)) : undefined;
  const spec = await buildExecSpec(job, { exec, container, consoleSize: start.consoleSize });
  const { exit, pid } = await job.execStarts.run(container.id, async () => {
    await tasks.exec({ ...process, spec, ...io.paths, terminal: exec.request.tty });
    undo.defer('process', () => ignoreAbsent(tasks.deleteProcess(process)));
    const waiting = tasks.wait(process);
    waiting.catch(() => undefined);
    // In an object: a promise alone would be waited for.
    return { exit: waiting, ...(await startInTime(job, process, () => tasks.start(process))) };
  });
  undo.defer('running process', () => ignoreAbsent(tasks.kill({ ...process, signal: SIGKILL })));
  io.taskCreated();
  session.taskCreated.resolve();
  exec.state = { status: 'running', pid };
  exec.begun.resolve();
  start.onStarted?.();
  const end = followExec(job, { exec, container, session }, awaitTaskExit(job, process, exit));
  job.tasks.track('follow exec', end);
  if (!place || !start.client) return Promise.resolve();
  return finishConversation(job, { exec, container }, { joined: place.join(start.client), end });
}

/** The client's answer ends when the exit code is known, unless it left or detached before. */
async function finishConversation(
  job: Job,
  of: { readonly exec: Exec; readonly container: Container },
  conversation: {
    readonly joined: ReturnType<ReturnType<typeof openClientPlace>['join']>;
    readonly end: Promise<void>;
  },
): Promise<void> {
  const how = await conversation.joined;
  if (how === 'ended') await conversation.end;
  if (how === 'detached')
    emitContainerEvent(job, of.container, { action: 'exec_detach', attributes: { execID: of.exec.id } });
}

function connectOptions(job: Job, exec: Exec, session: StreamSession): Parameters<typeof openClientPlace>[1] {
  const { request } = exec;
  return {
    stdin: request.attachStdin,
    stdout: request.attachStdout || request.tty,
    stderr: request.attachStderr,
    detachKeys: request.tty ? parseDetachKeys(request.detachKeys) : Buffer.alloc(0),
    closeStdin: request.tty
      ? undefined
      : async () => {
          await session.io.closeStdin();
          await ignoreAbsent(
            job.containerd.tasks.closeIo({ containerId: exec.containerId, execId: exec.id }),
          );
        },
  };
}

async function followExec(
  job: Job,
  running: { readonly exec: Exec; readonly container: Container; readonly session: StreamSession },
  ended: ReturnType<typeof awaitTaskExit>,
): Promise<void> {
  const { exec, container, session } = running;
  const { exitStatus } = await ended;
  if (!(await session.io.drainWithin(OPEN_OUTPUT_MS))) for (const drop of [...session.clients]) drop();
  const pid = exec.state.status === 'running' ? exec.state.pid : 0;
  exec.state = { status: 'exited', pid, exitCode: exitStatus };
  emitContainerEvent(job, container, {
    action: 'exec_die',
    attributes: { execID: exec.id, exitCode: String(exitStatus) },
  });
  exec.exited.resolve(exitStatus);
  await session.io.dispose();
  await ignoreAbsent(job.containerd.tasks.deleteProcess({ containerId: container.id, execId: exec.id }));
}

function recordFailure(exec: Exec, cause: unknown): EngineError {
  if (exec.state.status === 'running' && isErrorKind(cause, 'Cancelled')) return cause;
  const { exitCode, error } = describeStartFailure(cause);
  if (exec.state.status === 'starting') {
    exec.state = { status: 'exited', pid: 0, exitCode };
    exec.begun.resolve();
    exec.exited.resolve(exitCode);
  }
  return error;
}
