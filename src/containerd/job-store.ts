import type { Containerd, Images, Leases } from './types.ts';

/** Name of the namespace that the layers of all jobs are in; no job's own can be called so, for it has a dot. */
export const IMAGE_NAMESPACE = 'berth.images';

/** Where a job keeps content and snapshots. Its image records and leases are its own; content is named by digest alone. */
export interface JobStore extends Pick<
  Containerd,
  'namespace' | 'leaseId' | 'content' | 'diff' | 'images' | 'leases' | 'snapshots'
> {
  /** The same, with all that is made kept by this lease of the job's. */
  withLease(leaseId: string): JobStore;
}

/** What of containerd belongs to the job's own namespace: no image, layer or snapshot is there. */
export type JobRuntime = Omit<
  Containerd,
  'content' | 'diff' | 'images' | 'leases' | 'snapshots' | 'withLease'
>;

/** What the names of a job's records and leases in the image namespace begin with. */
export function jobPrefix(slug: string): string {
  return `job.${slug}/`;
}

/** The image namespace as one job may use it: it cannot name what another job's leases and records are called. */
export function openJobStore(images: Containerd, slug: string): JobStore {
  return viewOf(images, jobPrefix(slug), undefined);
}

function viewOf(containerd: Containerd, prefix: string, leaseId: string | undefined): JobStore {
  const { namespace, content, diff } = containerd;
  return {
    namespace,
    leaseId,
    content,
    diff,
    images: ownImages(containerd.images, prefix),
    leases: ownLeases(containerd.leases, prefix),
    snapshots: containerd.snapshots,
    withLease: (id) => viewOf(containerd.withLease(prefix + id), prefix, id),
  };
}

function ownImages(images: Images, prefix: string): Images {
  const named = <T extends { readonly name: string }>(image: T): T => ({
    ...image,
    name: prefix + image.name,
  });
  const stripped = <T extends { readonly name: string }>(image: T): T => ({
    ...image,
    name: image.name.slice(prefix.length),
  });
  return {
    get: async (name) => stripped(await images.get(prefix + name)),
    list: async (filters) =>
      (await images.list(filters)).filter(({ name }) => name.startsWith(prefix)).map(stripped),
    create: async (image) => stripped(await images.create(named(image))),
    update: async (image, fieldPaths) => stripped(await images.update(named(image), fieldPaths)),
    delete: (name, options) => images.delete(prefix + name, options),
  };
}

function ownLeases(leases: Leases, prefix: string): Leases {
  const stripped = <T extends { readonly id: string }>(lease: T): T => ({
    ...lease,
    id: lease.id.slice(prefix.length),
  });
  return {
    create: async (lease) => stripped(await leases.create({ ...lease, id: prefix + lease.id })),
    delete: (id, options) => leases.delete(prefix + id, options),
    list: async (filters) =>
      (await leases.list(filters)).filter(({ id }) => id.startsWith(prefix)).map(stripped),
    addResource: (id, resource) => leases.addResource(prefix + id, resource),
    deleteResource: (id, resource) => leases.deleteResource(prefix + id, resource),
    listResources: (id) => leases.listResources(prefix + id),
  };
}
