import { readMessage, readMethods, type MessageCodec } from './descriptors.ts';
import type { ContainersMethods } from './generated/containers.ts';
import type { ContentMethods } from './generated/content.ts';
import type { DiffMethods } from './generated/diff.ts';
import type { EventsMethods } from './generated/events.ts';
import type { ImagesMethods } from './generated/images.ts';
import type { IntrospectionMethods } from './generated/introspection.ts';
import type { LeasesMethods } from './generated/leases.ts';
import type { NamespacesMethods } from './generated/namespaces.ts';
import type { SnapshotsMethods } from './generated/snapshots.ts';
import type { TasksMethods } from './generated/tasks.ts';
import type { VersionMethods } from './generated/version.ts';

/** The services that berth uses, with the typed methods of each. */
export interface ServiceMethods {
  readonly containers: ContainersMethods;
  readonly content: ContentMethods;
  readonly diff: DiffMethods;
  readonly events: EventsMethods;
  readonly images: ImagesMethods;
  readonly introspection: IntrospectionMethods;
  readonly leases: LeasesMethods;
  readonly namespaces: NamespacesMethods;
  readonly snapshots: SnapshotsMethods;
  readonly tasks: TasksMethods;
  readonly version: VersionMethods;
}

/** A service's short name. */
export type ServiceName = keyof ServiceMethods;
/** What a method is sent. */
export type RequestOf<D> = D extends { requestSerialize(value: infer Request): Buffer } ? Request : never;
/** What a method answers. */
export type ResponseOf<D> = D extends { responseDeserialize(bytes: Buffer): infer Response }
  ? Response
  : never;

type DescriptorName = ServiceName | 'task-events' | 'runc-options';

// One import each, so that a service costs nothing until its first call.
const descriptors: Readonly<Record<DescriptorName, () => Promise<{ readonly default: object }>>> = {
  containers: () => import('./generated/containers.json', { with: { type: 'json' } }),
  content: () => import('./generated/content.json', { with: { type: 'json' } }),
  diff: () => import('./generated/diff.json', { with: { type: 'json' } }),
  events: () => import('./generated/events.json', { with: { type: 'json' } }),
  images: () => import('./generated/images.json', { with: { type: 'json' } }),
  introspection: () => import('./generated/introspection.json', { with: { type: 'json' } }),
  leases: () => import('./generated/leases.json', { with: { type: 'json' } }),
  namespaces: () => import('./generated/namespaces.json', { with: { type: 'json' } }),
  snapshots: () => import('./generated/snapshots.json', { with: { type: 'json' } }),
  tasks: () => import('./generated/tasks.json', { with: { type: 'json' } }),
  version: () => import('./generated/version.json', { with: { type: 'json' } }),
  'task-events': () => import('./generated/task-events.json', { with: { type: 'json' } }),
  'runc-options': () => import('./generated/runc-options.json', { with: { type: 'json' } }),
};

/** Builds a service's methods (some milliseconds: callers keep the result). */
export async function loadMethods<N extends ServiceName>(name: N): Promise<ServiceMethods[N]> {
  const { default: descriptor } = await descriptors[name]();
  return readMethods(
    descriptor,
    `containerd.services.${name}.v1.${name.charAt(0).toUpperCase()}${name.slice(1)}`,
  ) as unknown as ServiceMethods[N];
}

/** Builds what encodes and decodes one message that containerd carries inside an Any. */
export async function loadMessage<Input, Output>(
  name: 'task-events' | 'runc-options',
  fullName: string,
): Promise<MessageCodec<Input, Output>> {
  const { default: descriptor } = await descriptors[name]();
  return readMessage(descriptor, fullName);
}
