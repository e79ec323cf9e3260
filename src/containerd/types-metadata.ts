import type { Any, Descriptor, Labels } from './types-core.ts';

/** What an image record is made from. */
export interface NewImage {
  readonly name: string;
  readonly labels: Labels;
  readonly target: Descriptor;
}

/** An image record: a name for a manifest or index. */
export interface ContainerdImage extends NewImage {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Image records of the namespace. */
export interface Images {
  /** The record; NotFound if absent. */
  get(name: string): Promise<ContainerdImage>;
  /** Records that match any filter expression, or all. */
  list(filters?: readonly string[]): Promise<readonly ContainerdImage[]>;
  /** Stores a record; Conflict if the name exists. */
  create(image: NewImage): Promise<ContainerdImage>;
  /** Changes the fields named (`target`, `labels`, `labels.<key>`), or replaces target and labels. */
  update(image: NewImage, fieldPaths?: readonly string[]): Promise<ContainerdImage>;
  /** Removes the record; with `sync` returns only after garbage collection. */
  delete(name: string, options?: { readonly sync?: boolean }): Promise<void>;
}

/** A lease: what it names is kept from garbage collection until it is deleted or expires. */
export interface Lease {
  readonly id: string;
  readonly labels: Labels;
  readonly createdAt: Date;
}

/** Something a lease keeps: `type` is `content`, `ingests` or `snapshots/<snapshotter>`. */
export interface LeaseResource {
  readonly id: string;
  readonly type: string;
}

/** Leases of the namespace. */
export interface Leases {
  /** Makes a lease, ending by itself at `expiresAt` if given; Conflict if the id exists. */
  create(lease: { readonly id: string; readonly labels?: Labels; readonly expiresAt?: Date }): Promise<Lease>;
  /** Ends a lease, if it is there; with `sync` returns only after garbage collection. */
  delete(id: string, options?: { readonly sync?: boolean }): Promise<void>;
  /** Leases that match any filter expression, or all. */
  list(filters?: readonly string[]): Promise<readonly Lease[]>;
  /** Adds something that exists to a lease. */
  addResource(id: string, resource: LeaseResource): Promise<void>;
  /** Takes something out of a lease. */
  deleteResource(id: string, resource: LeaseResource): Promise<void>;
  /** What the lease keeps. */
  listResources(id: string): Promise<readonly LeaseResource[]>;
}

/** A containerd namespace. */
export interface ContainerdNamespace {
  readonly name: string;
  readonly labels: Labels;
}

/** Namespaces of this containerd. */
export interface Namespaces {
  /** The namespace; NotFound if absent. */
  get(name: string): Promise<ContainerdNamespace>;
  /** All namespaces. */
  list(): Promise<readonly ContainerdNamespace[]>;
  /** Makes a namespace; Conflict if the name exists. */
  create(namespace: ContainerdNamespace): Promise<ContainerdNamespace>;
  /** Sets these labels and keeps the others; an empty value removes a label. */
  updateLabels(name: string, labels: Labels): Promise<ContainerdNamespace>;
  /** Removes a namespace; Conflict while anything is left in it. */
  delete(name: string): Promise<void>;
}

/** A process ended (its id is the exec's, or the container's for the task's own), or the kernel killed one for memory. */
export type TaskEvent =
  | {
      readonly kind: 'exit';
      readonly containerId: string;
      readonly id: string;
      readonly pid: number;
      readonly exitStatus: number;
      readonly exitedAt: Date | undefined;
    }
  | { readonly kind: 'oom'; readonly containerId: string };

/** One event, of the namespaces that the filters let through. */
export interface EventEnvelope {
  readonly timestamp: Date;
  readonly namespace: string;
  readonly topic: string;
  readonly event: Any;
  /** The event decoded, where it is one that berth acts on. */
  readonly taskEvent: TaskEvent | undefined;
}

/** containerd's events. */
export interface Events {
  /**
   * Resolves when the subscription is live, so that nothing later is missed. Filters see all namespaces
   * (`namespace==x,topic=="/tasks/exit"`); the stream ends with the signal and throws when the connection breaks.
   */
  subscribe(filters: readonly string[], signal: AbortSignal): Promise<AsyncIterable<EventEnvelope>>;
}

/** A plugin that containerd has (or failed to) set up. */
export interface ContainerdPlugin {
  readonly type: string;
  readonly id: string;
  readonly requires: readonly string[];
  readonly capabilities: readonly string[];
  readonly exports: Readonly<Record<string, string>>;
  /** Why the plugin is not usable, empty if it is. */
  readonly initError: string;
}

/** What this containerd is. */
export interface Introspection {
  /** Plugins that match any filter expression, or all. */
  plugins(filters?: readonly string[]): Promise<readonly ContainerdPlugin[]>;
  /** Id that containerd made for itself. */
  server(): Promise<{ readonly uuid: string }>;
}

/** containerd's version. */
export interface Version {
  /** Version and revision as containerd prints them. */
  version(): Promise<{ readonly version: string; readonly revision: string }>;
}
