import type { CallScope, Channel } from './channel.ts';
import { fromAny, required, toAny, toDate } from './convert.ts';
import type { Container, ContainerInput } from './generated/containers.ts';
import type { ContainerdContainer, Containers, NewContainer } from './types.ts';

/** Containers service. */
export function createContainers(channel: Channel, scope: CallScope): Containers {
  const caller = channel.caller('containers', scope);
  return {
    async get(id) {
      return fromRaw((await caller.unary('Get', { id })).container);
    },
    async list(filters = []) {
      // The streaming form: a list of many specs would outgrow one message.
      const containers: ContainerdContainer[] = [];
      for await (const { container } of caller.stream('ListStream', { filters }))
        containers.push(fromRaw(container));
      return containers;
    },
    async create(container) {
      return fromRaw((await caller.unary('Create', { container: toRaw(container) })).container);
    },
    async update(container, fieldPaths) {
      const request = { container: toRaw(container), updateMask: { paths: fieldPaths } };
      return fromRaw((await caller.unary('Update', request)).container);
    },
    async delete(id) {
      await caller.unary('Delete', { id });
    },
  };
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, convert: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, convert(value)]));
}

function fromRaw(raw: Container | null): ContainerdContainer {
  const container = required(raw, 'a container');
  const options = container.runtime?.options;
  return {
    id: container.id,
    labels: container.labels,
    image: container.image,
    runtime: { name: container.runtime?.name ?? '', ...(options ? { options: toAny(options) } : {}) },
    spec: toAny(container.spec),
    snapshotter: container.snapshotter,
    snapshotKey: container.snapshotKey,
    extensions: mapValues(container.extensions, toAny),
    createdAt: toDate(container.createdAt),
    updatedAt: toDate(container.updatedAt),
  };
}

function toRaw({ runtime, spec, extensions, ...plain }: Partial<NewContainer>): ContainerInput {
  return {
    ...plain,
    ...(runtime && {
      runtime: { name: runtime.name, ...(runtime.options && { options: fromAny(runtime.options) }) },
    }),
    ...(spec && { spec: fromAny(spec) }),
    ...(extensions && { extensions: mapValues(extensions, fromAny) }),
  };
}
