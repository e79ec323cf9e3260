import type { Any, Labels, Mount } from './types-core.ts';
import type { Events, Images, Introspection, Leases, Namespaces, Version } from './types-metadata.ts';
import type { Content, Diff, Snapshots } from './types-store.ts';

export type { Any, Descriptor, Labels, Mount } from './types-core.ts';
export type {
  ContainerdImage,
  EventEnvelope,
  Events,
  Images,
  Introspection,
  Lease,
  LeaseResource,
  Leases,
  Namespaces,
  NewImage,
  TaskEvent,
  Version,
} from './types-metadata.ts';
export type {
  Content,
  ContentInfo,
  ContentSource,
  Diff,
  NewContent,
  SnapshotInfo,
  Snapshots,
} from './types-store.ts';

/** What a container is made from: everything but the times containerd sets itself. */
export interface NewContainer {
  readonly id: string;
  readonly labels: Labels;
  /** Name of an image record, or empty. */
  readonly image: string;
  readonly runtime: { readonly name: string; readonly options?: Any };
  readonly spec: Any;
  readonly snapshotter: string;
  readonly snapshotKey: string;
  readonly extensions: Readonly<Record<string, Any>>;
}

/** A container record (metadata only; its running process is a task). */
export interface ContainerdContainer extends NewContainer {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Container records of the namespace. */
export interface Containers {
  /** The record; NotFound if absent. */
  get(id: string): Promise<ContainerdContainer>;
  /** Records that match any of containerd's filter expressions, or all. */
  list(filters?: readonly string[]): Promise<readonly ContainerdContainer[]>;
  /** Stores a record; Conflict if the id exists. */
  create(container: NewContainer): Promise<ContainerdContainer>;
  /** Changes only the fields named (`labels`, `labels.<key>`, `extensions.<key>`, `spec`, `image`, `snapshotkey`). */
  update(
    container: Partial<NewContainer> & { id: string },
    fieldPaths: readonly string[],
  ): Promise<ContainerdContainer>;
  /** Removes the record; NotFound if absent. */
  delete(id: string): Promise<void>;
}

/** Names a process: the task's own when `execId` is absent. */
export interface ProcessRef {
  readonly containerId: string;
  readonly execId?: string;
}

/** Where a process's standard streams go: FIFO paths or containerd's URIs; empty = none. */
export interface ProcessIo {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
}

/** What a task is created from. */
export interface NewTask extends ProcessIo {
  readonly containerId: string;
  readonly rootfs: readonly Mount[];
  /** Options for this start alone, e.g. runc's `containerd.runc.v1.Options`. */
  readonly runtimeOptions?: Any;
}

/** What an exec is created from; `spec` holds an OCI process in JSON. */
export interface NewExec extends ProcessIo {
  readonly containerId: string;
  readonly execId: string;
  readonly spec: Any;
}

/** State of a process. */
export type TaskStatus = 'created' | 'running' | 'stopped' | 'paused' | 'pausing' | 'unknown';

/** A task's or exec's process as the shim reports it. */
export interface TaskProcess extends ProcessIo {
  readonly containerId: string;
  /** The exec's id, or the container's for the task's own process. */
  readonly id: string;
  readonly pid: number;
  readonly status: TaskStatus;
  readonly exitStatus: number;
  readonly exitedAt: Date | undefined;
}

/** How a process ended (signals as 128 + number). */
export interface ExitStatus {
  readonly exitStatus: number;
  readonly exitedAt: Date | undefined;
}

/** A signal for one process, or with `all` for every process of the container. */
export interface KillRequest extends ProcessRef {
  readonly signal: number;
  readonly all?: boolean;
}

/** Running processes. */
export interface Tasks {
  /** Makes the container's namespaces and its process, which waits for `start`. */
  create(task: NewTask): Promise<{ readonly pid: number }>;
  /** Lets a created task or exec run. */
  start(process: ProcessRef): Promise<{ readonly pid: number }>;
  /** Removes a stopped (or never started) task and ends its shim. */
  delete(containerId: string): Promise<ExitStatus & { readonly pid: number }>;
  /** Removes a stopped exec. */
  deleteProcess(process: Required<ProcessRef>): Promise<ExitStatus & { readonly pid: number }>;
  /** State of one process; NotFound if there is none. */
  get(process: ProcessRef): Promise<TaskProcess>;
  /** State of every task of the namespace. */
  list(): Promise<readonly TaskProcess[]>;
  /** Sends a signal; NotFound if the process has ended. */
  kill(request: KillRequest): Promise<void>;
  /** Registers a further process, which waits for `start`. */
  exec(exec: NewExec): Promise<void>;
  /** Sets the size of a process's terminal, in characters. */
  resizePty(request: ProcessRef & { readonly width: number; readonly height: number }): Promise<void>;
  /** Closes the shim's end of stdin, so that the process reads end of file once writers are gone. */
  closeIo(process: ProcessRef): Promise<void>;
  /** Freezes the container's processes. */
  pause(containerId: string): Promise<void>;
  /** Thaws the container's processes. */
  resume(containerId: string): Promise<void>;
  /** Host pids of all processes of the container. */
  pids(containerId: string): Promise<readonly { readonly pid: number }[]>;
  /** Cgroup metrics, encoded for the cgroup version in use. */
  metrics(containerId: string): Promise<Any>;
  /** Applies new limits (OCI LinuxResources in JSON) to a running task. */
  update(request: { readonly containerId: string; readonly resources: Any }): Promise<void>;
  /** Resolves when the process ends, at once if it has; Cancelled when the signal aborts. */
  wait(process: ProcessRef, signal?: AbortSignal): Promise<ExitStatus>;
}

/** containerd as seen from one namespace (and under one lease); all views share one channel. */
export interface Containerd {
  readonly namespace: string;
  readonly address: string;
  readonly leaseId: string | undefined;
  readonly containers: Containers;
  readonly tasks: Tasks;
  readonly content: Content;
  readonly diff: Diff;
  readonly images: Images;
  readonly leases: Leases;
  readonly namespaces: Namespaces;
  readonly events: Events;
  readonly introspection: Introspection;
  readonly version: Version;
  /** Snapshots of the snapshotter that the connection was made for. */
  readonly snapshots: Snapshots;
  /** The same, with all that is made kept by this lease. */
  withLease(leaseId: string): Containerd;
  /** The same in another namespace, without a lease. */
  inNamespace(namespace: string): Containerd;
  /** Resolves when containerd answers; Unavailable if not. */
  ping(): Promise<void>;
  /** Ends the channel of this and all derived views; idempotent. */
  close(): void;
}
