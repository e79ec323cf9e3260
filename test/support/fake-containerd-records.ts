import type { Containers, Images, Leases, Namespaces, NewContainer } from '../../src/containerd/types.ts';
import { EngineError } from '../../src/errors.ts';
import {
  assertFree,
  emit,
  found,
  labelFields,
  matches,
  mergeLabels,
  namespaceOf,
  type FakeScope,
} from './fake-containerd-state.ts';

const wholeFields: Readonly<Record<string, keyof NewContainer>> = {
  labels: 'labels',
  extensions: 'extensions',
  spec: 'spec',
  image: 'image',
  snapshotkey: 'snapshotKey',
};

function changeField(container: NewContainer, change: Partial<NewContainer>, path: string): NewContainer {
  const dot = path.indexOf('.');
  const key = path.slice(dot + 1);
  if (path.startsWith('labels.')) {
    return { ...container, labels: mergeLabels(container.labels, { [key]: change.labels?.[key] ?? '' }) };
  }
  if (path.startsWith('extensions.')) {
    const value = change.extensions?.[key];
    return value ? { ...container, extensions: { ...container.extensions, [key]: value } } : container;
  }
  const field = wholeFields[path];
  if (!field) throw new EngineError('InvalidArgument', `cannot update "${path}" field: invalid argument`);
  return { ...container, [field]: change[field] };
}

/** Container records in memory. */
export function createFakeContainers(scope: FakeScope): Containers {
  const { containers, tasks } = namespaceOf(scope);
  const get = (id: string): ReturnType<typeof found<NonNullable<ReturnType<typeof containers.get>>>> =>
    found(containers.get(id), `container "${id}" in namespace "${scope.namespace}"`);
  return {
    get: async (id) => get(id),
    list: async (filters = []) =>
      [...containers.values()].filter(({ id, labels, image }) =>
        matches(filters, { id, image, ...labelFields(labels) }),
      ),
    async create(container) {
      assertFree(containers.has(container.id), `container "${container.id}"`);
      const made = { ...container, createdAt: new Date(), updatedAt: new Date() };
      containers.set(container.id, made);
      emit(scope, '/containers/create');
      return made;
    },
    async update(change, fieldPaths) {
      const old = get(change.id);
      const changed = fieldPaths.reduce<NewContainer>((now, path) => changeField(now, change, path), old);
      const updated = { ...old, ...changed, updatedAt: new Date() };
      containers.set(change.id, updated);
      emit(scope, '/containers/update');
      return updated;
    },
    async delete(id) {
      get(id);
      if (tasks.has(id))
        throw new EngineError('Conflict', `cannot delete a container with a task: failed precondition`);
      containers.delete(id);
      emit(scope, '/containers/delete');
    },
  };
}

/** Image records in memory. */
export function createFakeImages(scope: FakeScope): Images {
  const { images } = namespaceOf(scope);
  return {
    get: async (name) => found(images.get(name), `image "${name}"`),
    list: async (filters = []) =>
      [...images.values()].filter(({ name, labels }) => matches(filters, { name, ...labelFields(labels) })),
    async create(image) {
      assertFree(images.has(image.name), `image "${image.name}"`);
      const made = { ...image, createdAt: new Date(), updatedAt: new Date() };
      images.set(image.name, made);
      return made;
    },
    async update(image, fieldPaths = ['target', 'labels']) {
      const old = found(images.get(image.name), `image "${image.name}"`);
      const keys = fieldPaths.flatMap((path) =>
        path.startsWith('labels.') ? [path.slice('labels.'.length)] : [],
      );
      const single = Object.fromEntries(keys.map((key) => [key, image.labels[key] ?? '']));
      const updated = {
        ...old,
        target: fieldPaths.includes('target') ? image.target : old.target,
        labels: mergeLabels(fieldPaths.includes('labels') ? image.labels : old.labels, single),
        updatedAt: new Date(),
      };
      images.set(image.name, updated);
      return updated;
    },
    async delete(name) {
      found(images.get(name), `image "${name}"`);
      images.delete(name);
    },
  };
}

/** Leases in memory; nothing is ever collected, but what a lease keeps is known. */
export function createFakeLeases(scope: FakeScope): Leases {
  const { leases } = namespaceOf(scope);
  const get = (id: string): NonNullable<ReturnType<typeof leases.get>> =>
    found(leases.get(id), `lease "${id}"`);
  return {
    async create({ id, labels = {}, expiresAt }) {
      assertFree(leases.has(id), `lease "${id}"`);
      const expiry = expiresAt
        ? { 'containerd.io/gc.expire': expiresAt.toISOString().replace(/\.\d+Z$/, 'Z') }
        : {};
      const lease = { id, labels: { ...labels, ...expiry }, createdAt: new Date() };
      leases.set(id, { lease, resources: [] });
      return lease;
    },
    async delete(id) {
      leases.delete(id);
    },
    list: async (filters = []) =>
      [...leases.values()]
        .map(({ lease }) => lease)
        .filter(({ id, labels }) => matches(filters, { id, ...labelFields(labels) })),
    async addResource(id, resource) {
      get(id).resources.push(resource);
    },
    async deleteResource(id, resource) {
      const { resources } = get(id);
      const index = resources.findIndex((one) => one.id === resource.id && one.type === resource.type);
      if (index >= 0) resources.splice(index, 1);
    },
    listResources: async (id) => [...(leases.get(id)?.resources ?? [])],
  };
}

/** Namespaces of the fake; one with anything in it cannot be deleted. */
export function createFakeNamespaces(scope: FakeScope): Namespaces {
  const { namespaces } = scope.state;
  const get = (name: string): NonNullable<ReturnType<typeof namespaces.get>> =>
    found(namespaces.get(name), `namespace "${name}"`);
  return {
    get: async (name) => ({ name, labels: get(name).labels }),
    list: async () => [...namespaces].map(([name, { labels }]) => ({ name, labels })),
    async create({ name, labels }) {
      assertFree(namespaces.has(name), `namespace "${name}"`);
      namespaceOf({ ...scope, namespace: name }).labels = labels;
      return { name, labels };
    },
    async updateLabels(name, labels) {
      const namespace = get(name);
      namespace.labels = mergeLabels(namespace.labels, labels);
      return { name, labels: namespace.labels };
    },
    async delete(name) {
      const { containers, images, content, snapshots } = get(name);
      if (containers.size + images.size + content.size + snapshots.size > 0) {
        throw new EngineError('Conflict', `namespace "${name}" must be empty: failed precondition`);
      }
      namespaces.delete(name);
    },
  };
}
