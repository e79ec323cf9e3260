import { EngineError } from '../errors.ts';
import type { Caller, CallScope, Channel } from './channel.ts';
import { fromAny, required, toAny, toOptionalDate } from './convert.ts';
import type { DeleteResponse, Process } from './generated/tasks.ts';
import type { ExitStatus, ProcessRef, TaskProcess, Tasks, TaskStatus } from './types.ts';

const statuses: Readonly<Record<Process['status'], TaskStatus>> = {
  UNKNOWN: 'unknown',
  CREATED: 'created',
  RUNNING: 'running',
  STOPPED: 'stopped',
  PAUSED: 'paused',
  PAUSING: 'pausing',
};

/** Tasks service. */
export function createTasks(channel: Channel, scope: CallScope): Tasks {
  const caller = channel.caller('tasks', scope);
  return { ...lifecycleCalls(caller), ...processCalls(caller), ...containerCalls(caller) };
}

type TasksCaller = Caller<'tasks'>;

function lifecycleCalls(
  caller: TasksCaller,
): Pick<Tasks, 'create' | 'start' | 'delete' | 'deleteProcess' | 'exec' | 'wait'> {
  return {
    async create({ runtimeOptions, ...task }) {
      const options = runtimeOptions ? { options: fromAny(runtimeOptions) } : {};
      const { pid } = await caller.unary('Create', { ...task, ...options });
      return { pid };
    },
    async start(process) {
      const { pid } = await caller.unary('Start', process);
      return { pid };
    },
    async delete(containerId) {
      return toDeleted(await caller.unary('Delete', { containerId }));
    },
    async deleteProcess(process) {
      return toDeleted(await caller.unary('DeleteProcess', process));
    },
    async exec({ spec, ...exec }) {
      await caller.unary('Exec', { ...exec, spec: fromAny(spec) });
    },
    async wait(process, signal) {
      const { exitStatus, exitedAt } = await caller.unary('Wait', process, { signal });
      return { exitStatus, exitedAt: toOptionalDate(exitedAt) };
    },
  };
}

function processCalls(caller: TasksCaller): Pick<Tasks, 'get' | 'kill' | 'resizePty' | 'closeIo'> {
  return {
    async get(process) {
      return toProcess((await caller.unary('Get', process)).process, process);
    },
    async kill(request) {
      await caller.unary('Kill', request);
    },
    async resizePty(request) {
      await caller.unary('ResizePty', request);
    },
    async closeIo(process) {
      await caller.unary('CloseIO', { ...process, stdin: true });
    },
  };
}

function containerCalls(
  caller: TasksCaller,
): Pick<Tasks, 'list' | 'pause' | 'resume' | 'pids' | 'metrics' | 'update'> {
  return {
    async list() {
      const { tasks } = await caller.unary('List', {});
      return tasks.map((task) => toProcess(task, { containerId: task.id }));
    },
    async pause(containerId) {
      await caller.unary('Pause', { containerId });
    },
    async resume(containerId) {
      await caller.unary('Resume', { containerId });
    },
    async pids(containerId) {
      const { processes } = await caller.unary('ListPids', { containerId });
      return processes.map(({ pid }) => ({ pid }));
    },
    async metrics(containerId) {
      const { metrics } = await caller.unary('Metrics', { filters: [`id==${containerId}`] });
      const metric = metrics.find(({ id }) => id === containerId);
      if (!metric) throw new EngineError('NotFound', `no metrics of task ${containerId}: not found`);
      return toAny(metric.data);
    },
    async update({ containerId, resources }) {
      await caller.unary('Update', { containerId, resources: fromAny(resources) });
    },
  };
}

function toDeleted(answer: DeleteResponse): ExitStatus & { readonly pid: number } {
  return { pid: answer.pid, exitStatus: answer.exitStatus, exitedAt: toOptionalDate(answer.exitedAt) };
}

// Servers leave container_id empty and give the exec's id only where an exec was asked for.
function toProcess(raw: Process | null, { containerId }: ProcessRef): TaskProcess {
  const process = required(raw, 'a process');
  return {
    containerId,
    id: process.id,
    pid: process.pid,
    status: statuses[process.status],
    exitStatus: process.exitStatus,
    exitedAt: toOptionalDate(process.exitedAt),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    terminal: process.terminal,
  };
}
