import type { EventEnvelope, Events, ProcessRef, TaskProcess, Tasks } from '../../src/containerd/types.ts';
import { EngineError } from '../../src/errors.ts';
import { createAsyncQueue } from '../../src/lib/async-queue.ts';
import {
  closeFakeStreams,
  createFakeProcess,
  openFakeStreams,
  runFakeProcess,
  type FakeTask,
  type FakeTaskProcess,
} from './fake-containerd-process.ts';
import { assertFree, emit, found, namespaceOf, type FakeScope } from './fake-containerd-state.ts';

const sigkill = 9;

/** Tasks whose processes are scripted by the fake's program. */
export function createFakeTasks(scope: FakeScope): Tasks {
  const { tasks, containers } = namespaceOf(scope);
  const taskOf = (id: string): FakeTask => found(tasks.get(id), `task ${id}`);
  const processOf = ({ containerId, execId }: ProcessRef): FakeTaskProcess => {
    const task = taskOf(containerId);
    return execId === undefined ? task : found(task.execs.get(execId), `process ${execId}`);
  };
  const remove = async (process: FakeTaskProcess, name: string): Promise<FakeTaskProcess> => {
    if (process.status === 'running' || process.status === 'paused') {
      throw new EngineError('Conflict', `process ${name} is ${process.status}: failed precondition`);
    }
    await closeFakeStreams(process);
    return process;
  };
  const setStatus = (id: string, from: 'running' | 'paused', to: 'running' | 'paused'): void => {
    const task = taskOf(id);
    if (task.status !== from)
      throw new EngineError('Conflict', `task ${id} is ${task.status}: failed precondition`);
    task.status = to;
  };
  return {
    async create({ containerId, stdin, stdout, stderr, terminal }) {
      const { spec } = found(containers.get(containerId), `container "${containerId}"`);
      assertFree(tasks.has(containerId), `task ${containerId}`);
      const process = createFakeProcess({ stdin, stdout, stderr, terminal }, spec, scope.state.nextPid++);
      const task = { ...process, execs: new Map<string, FakeTaskProcess>() };
      tasks.set(containerId, task);
      await openFakeStreams(task);
      emit(scope, '/tasks/create');
      return { pid: process.pid };
    },
    async start(ref) {
      const process = processOf(ref);
      if (process.status !== 'created') {
        throw new EngineError('Conflict', `process is ${process.status}: failed precondition`);
      }
      process.status = 'running';
      await openFakeStreams(process);
      void run(scope, ref, process);
      emit(scope, '/tasks/start');
      return { pid: process.pid };
    },
    async delete(containerId) {
      const { pid, exit } = await remove(taskOf(containerId), containerId);
      tasks.delete(containerId);
      emit(scope, '/tasks/delete');
      return { pid, ...exit };
    },
    async deleteProcess({ containerId, execId }) {
      const { pid, exit } = await remove(processOf({ containerId, execId }), execId);
      taskOf(containerId).execs.delete(execId);
      return { pid, ...exit };
    },
    get: async (ref) => describe(ref, processOf(ref)),
    list: async () => [...tasks].map(([containerId, task]) => describe({ containerId }, task)),
    async kill({ signal, all, ...ref }) {
      const process = processOf(ref);
      if (process.status === 'stopped')
        throw new EngineError('NotFound', 'process already finished: not found');
      const targets = all ? [process, ...taskOf(ref.containerId).execs.values()] : [process];
      for (const target of targets) await deliver(scope, ref, { target, signal });
    },
    async exec({ containerId, execId, spec, stdin, stdout, stderr, terminal }) {
      const { execs } = taskOf(containerId);
      assertFree(execs.has(execId), `id ${execId}`);
      execs.set(execId, createFakeProcess({ stdin, stdout, stderr, terminal }, spec, scope.state.nextPid++));
    },
    async resizePty({ width, height, ...ref }) {
      processOf(ref).size = { width, height };
    },
    async closeIo(ref) {
      processOf(ref);
    },
    pause: async (id) => setStatus(id, 'running', 'paused'),
    resume: async (id) => setStatus(id, 'paused', 'running'),
    pids: async (id) => {
      const task = taskOf(id);
      return [task, ...task.execs.values()]
        .filter(({ status }) => status !== 'stopped')
        .map(({ pid }) => ({ pid }));
    },
    async metrics(id) {
      taskOf(id);
      return { typeUrl: 'fake.Metrics', value: new Uint8Array() };
    },
    async update({ containerId }) {
      taskOf(containerId);
    },
    wait: (ref, signal) => waitFor(processOf(ref), signal),
  };
}

function describe(
  { containerId, execId }: ProcessRef,
  { pid, status, exit, io }: FakeTaskProcess,
): TaskProcess {
  return { containerId, id: execId ?? containerId, pid, status, ...exit, ...io };
}

async function run(scope: FakeScope, ref: ProcessRef, process: FakeTaskProcess): Promise<void> {
  const names = { containerId: ref.containerId, execId: ref.execId };
  // A program that throws is a broken test: it shows as an exit status no test expects.
  const status = await runFakeProcess(process, names, scope.state.program).catch(() => 255);
  finish(scope, ref, { process, status });
}

function finish(
  scope: FakeScope,
  { containerId, execId }: ProcessRef,
  { process, status }: { readonly process: FakeTaskProcess; readonly status: number },
): void {
  // As the kernel does where the first process of a PID namespace ends.
  const execs = execId === undefined ? namespaceOf(scope).tasks.get(containerId)?.execs : undefined;
  for (const exec of execs?.values() ?? []) exec.killed.resolve(128 + sigkill);
  process.status = 'stopped';
  process.exit = { exitStatus: status, exitedAt: new Date() };
  process.ended.resolve(process.exit);
  const id = execId ?? containerId;
  emit(scope, '/tasks/exit', { kind: 'exit', containerId, id, pid: process.pid, ...process.exit });
}

async function deliver(
  scope: FakeScope,
  ref: ProcessRef,
  { target, signal }: { readonly target: FakeTaskProcess; readonly signal: number },
): Promise<void> {
  if (target.status === 'created') {
    await closeFakeStreams(target);
    finish(scope, ref, { process: target, status: 128 + signal });
  } else if (signal === sigkill) target.killed.resolve(128 + sigkill);
  else target.signals.push(signal);
}

async function waitFor(process: FakeTaskProcess, signal: AbortSignal | undefined): ReturnType<Tasks['wait']> {
  if (!signal) return process.ended.promise;
  const aborted = new Promise<never>((_resolve, reject) => {
    const abort = (): void => reject(new EngineError('Cancelled', 'cancelled', { cause: signal.reason }));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  return Promise.race([process.ended.promise, aborted]);
}

/** Events of the fake's own tasks, and those that a test emits. */
export function createFakeEvents({ state }: FakeScope): Events {
  return {
    async subscribe(filters, signal) {
      const subscriber = { filters, queue: createAsyncQueue<EventEnvelope>(10_000) };
      state.subscribers.add(subscriber);
      const end = (): void => {
        state.subscribers.delete(subscriber);
        subscriber.queue.end();
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
      return untilAborted(subscriber.queue, signal);
    },
  };
}

async function* untilAborted(
  queue: AsyncIterable<EventEnvelope>,
  signal: AbortSignal,
): AsyncGenerator<EventEnvelope, void> {
  yield* queue;
  if (!signal.aborted) throw new EngineError('Unavailable', 'containerd ended the subscription');
}
