import type {
  ContainerdContainer,
  ContainerdImage,
  ContentInfo,
  EventEnvelope,
  Labels,
  Lease,
  LeaseResource,
  SnapshotInfo,
  TaskEvent,
} from '../../src/containerd/types.ts';
import { EngineError } from '../../src/errors.ts';
import type { AsyncQueue } from '../../src/lib/async-queue.ts';
import type { FakeProgram, FakeTask } from './fake-containerd-process.ts';

/** What one namespace of the fake holds. */
export interface FakeNamespace {
  labels: Labels;
  readonly containers: Map<string, ContainerdContainer>;
  readonly images: Map<string, ContainerdImage>;
  readonly leases: Map<string, { readonly lease: Lease; readonly resources: LeaseResource[] }>;
  readonly content: Map<string, ContentInfo>;
  readonly snapshots: Map<string, SnapshotInfo>;
  readonly tasks: Map<string, FakeTask>;
}

/** One reader of events. */
export interface FakeSubscriber {
  readonly filters: readonly string[];
  readonly queue: AsyncQueue<EventEnvelope>;
}

/** All that the views of one fake share. */
export interface FakeState {
  readonly namespaces: Map<string, FakeNamespace>;
  /** Bytes by digest: shared by namespaces, as containerd shares them. */
  readonly blobs: Map<string, Uint8Array>;
  readonly partialWrites: Map<string, Uint8Array>;
  readonly subscribers: Set<FakeSubscriber>;
  program: FakeProgram;
  nextPid: number;
}

/** Whose objects a view is about. */
export interface FakeScope {
  readonly state: FakeState;
  readonly namespace: string;
  readonly leaseId: string | undefined;
}

/** The namespace of a view, made on first use as containerd does. */
export function namespaceOf({ state, namespace }: FakeScope): FakeNamespace {
  const found = state.namespaces.get(namespace);
  if (found) return found;
  const made: FakeNamespace = {
    labels: {},
    containers: new Map(),
    images: new Map(),
    leases: new Map(),
    content: new Map(),
    snapshots: new Map(),
    tasks: new Map(),
  };
  state.namespaces.set(namespace, made);
  return made;
}

/** The value, or containerd's NotFound. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new EngineError('NotFound', `${what}: not found`);
  return value;
}

/** Throws containerd's Conflict where the name is taken. */
export function assertFree(isTaken: boolean, what: string): void {
  if (isTaken) throw new EngineError('Conflict', `${what}: already exists`);
}

/** Old labels with new ones over them; empty values remove. */
export function mergeLabels(old: Labels, changes: Labels): Labels {
  return Object.fromEntries(Object.entries({ ...old, ...changes }).filter(([, value]) => value !== ''));
}

/** Puts what was just made under the view's lease. */
export function keepByLease(scope: FakeScope, resource: LeaseResource): void {
  if (scope.leaseId === undefined) return;
  const lease = found(namespaceOf(scope).leases.get(scope.leaseId), `lease "${scope.leaseId}"`);
  if (!lease.resources.some(({ id, type }) => id === resource.id && type === resource.type)) {
    lease.resources.push(resource);
  }
}

type FilterTarget = Readonly<Record<string, string>>;

// The part of containerd's filter language that berth uses: `field==value`, `field~=regexp`, `labels."key"==value`, commas for "and".
function matchesOne(filter: string, target: FilterTarget): boolean {
  return filter.split(',').every((part) => {
    const match = /^([^=~]+)(==|~=)(.*)$/.exec(part);
    const [, field = part, operator, operand = ''] = match ?? [];
    const value = target[field.replaceAll('"', '')];
    if (operator === undefined) return value !== undefined;
    const wanted = operand.replace(/^["/|](.*)["/|]$/, '$1');
    return operator === '==' ? value === wanted : value !== undefined && new RegExp(wanted).test(value);
  });
}

/** True where any filter matches, or there is none. */
export function matches(filters: readonly string[], target: FilterTarget): boolean {
  return filters.length === 0 || filters.some((filter) => matchesOne(filter, target));
}

/** An object's labels as filters name them. */
export function labelFields(labels: Labels): FilterTarget {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [`labels.${key}`, value]));
}

/** Hands an event to whoever subscribed to it. */
export function emit(scope: FakeScope, topic: string, taskEvent?: TaskEvent): void {
  const { namespace, state } = scope;
  const event = { typeUrl: `fake${topic}`, value: new Uint8Array() };
  for (const { filters, queue } of state.subscribers) {
    if (matches(filters, { topic, namespace })) {
      queue.push({ timestamp: new Date(), namespace, topic, event, taskEvent });
    }
  }
}
