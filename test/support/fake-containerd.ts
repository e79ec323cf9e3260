import type { Containerd, EventEnvelope } from '../../src/containerd/types.ts';
import { EngineError } from '../../src/errors.ts';
import { runUntilSignal, type FakeProgram } from './fake-containerd-process.ts';
import {
  createFakeContainers,
  createFakeImages,
  createFakeLeases,
  createFakeNamespaces,
} from './fake-containerd-records.ts';
import { emit, type FakeScope, type FakeState } from './fake-containerd-state.ts';
import { createFakeContent, createFakeDiff, createFakeSnapshots } from './fake-containerd-store.ts';
import { createFakeEvents, createFakeTasks } from './fake-containerd-tasks.ts';

const address = '/fake/containerd.sock';

/** A containerd in memory, and a test's handles on it. */
export interface FakeContainerd {
  readonly containerd: Containerd;
  /** Calls made so far by `service.method`, failed ones included. */
  readonly calls: ReadonlyMap<string, number>;
  /** Sum of all calls. */
  totalCalls(): number;
  /** The next call of `service.method` fails with the error, whatever it is about. */
  failNext(call: string, error: Error): void;
  /** From now on every call fails as if containerd were gone, or works again. */
  setDown(isDown: boolean): void;
  /** What processes started from now on do. */
  setProgram(program: FakeProgram): void;
  /** Sends an event of the namespace to whoever subscribed. */
  emitEvent(event: Pick<EventEnvelope, 'namespace' | 'topic' | 'taskEvent'>): void;
}

/** Makes an empty fake, seen from a namespace; its processes run until the first signal unless a program is set. */
export function createFakeContainerd(namespace = 'berth-test'): FakeContainerd {
  const state: FakeState = {
    namespaces: new Map(),
    blobs: new Map(),
    partialWrites: new Map(),
    subscribers: new Set(),
    program: runUntilSignal,
    nextPid: 1_000_000,
  };
  const calls = new Map<string, number>();
  const failures = new Map<string, Error>();
  let isDown = false;
  const watch: Watch = (service, name) => {
    const key = `${service}.${name}`;
    calls.set(key, (calls.get(key) ?? 0) + 1);
    if (isDown)
      throw new EngineError('Unavailable', `cannot connect to containerd at ${address}: fake is down`);
    const failure = failures.get(key);
    failures.delete(key);
    if (failure) throw failure;
  };
  return {
    containerd: createView({ state, namespace, leaseId: undefined }, watch),
    calls,
    totalCalls: () => [...calls.values()].reduce((sum, count) => sum + count, 0),
    failNext(call, error) {
      failures.set(call, error);
    },
    setDown(value) {
      isDown = value;
      if (value) endSubscriptions(state);
    },
    setProgram(program) {
      state.program = program;
    },
    emitEvent({ namespace: from, topic, taskEvent }) {
      emit({ state, namespace: from, leaseId: undefined }, topic, taskEvent);
    },
  };
}

type Watch = (service: string, method: string) => void;

function endSubscriptions(state: FakeState): void {
  for (const subscriber of state.subscribers) {
    state.subscribers.delete(subscriber);
    subscriber.queue.end();
  }
}

// Services are made anew for each call, so that a deleted namespace is not kept alive by a view.
function watched<T extends object>(service: string, watch: Watch, make: () => T): T {
  return new Proxy(make(), {
    get(_target, name) {
      const current = make();
      const member: unknown = Reflect.get(current, name);
      if (typeof member !== 'function' || typeof name !== 'string') return member;
      return (...args: readonly unknown[]): unknown => {
        if (service === 'content' && name === 'read') {
          return watchedStream(
            () => watch(service, name),
            () => Reflect.apply(member, current, args) as AsyncIterable<unknown>,
          );
        }
        return call(
          () => watch(service, name),
          () => Reflect.apply(member, current, args),
        );
      };
    },
  });
}

// Whatever throws, throws into the promise, as the real adapter's methods do.
async function call(check: () => void, answer: () => unknown): Promise<unknown> {
  check();
  return answer();
}

async function* watchedStream(
  check: () => void,
  open: () => AsyncIterable<unknown>,
): AsyncGenerator<unknown, void> {
  check();
  yield* open();
}

function createView(scope: FakeScope, watch: Watch): Containerd {
  const service = <T extends object>(name: string, make: () => T): T => watched(name, watch, make);
  const version = service('version', () => ({
    version: async () => ({ version: '1.6.20-fake', revision: 'fake' }),
  }));
  return {
    address,
    namespace: scope.namespace,
    leaseId: scope.leaseId,
    containers: service('containers', () => createFakeContainers(scope)),
    tasks: service('tasks', () => createFakeTasks(scope)),
    content: service('content', () => createFakeContent(scope)),
    diff: service('diff', () => createFakeDiff(scope)),
    images: service('images', () => createFakeImages(scope)),
    leases: service('leases', () => createFakeLeases(scope)),
    namespaces: service('namespaces', () => createFakeNamespaces(scope)),
    events: service('events', () => createFakeEvents(scope)),
    introspection: service('introspection', () => ({
      plugins: async () => [],
      server: async () => ({ uuid: 'fake' }),
    })),
    version,
    snapshots: service('snapshots', () => createFakeSnapshots(scope)),
    withLease: (leaseId) => createView({ ...scope, leaseId }, watch),
    inNamespace: (namespace) => createView({ ...scope, namespace, leaseId: undefined }, watch),
    async ping() {
      await version.version();
    },
    close: () => endSubscriptions(scope.state),
  };
}
