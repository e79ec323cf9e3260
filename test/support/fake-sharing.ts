import type { Job } from '../../src/engine/job.ts';

/** What containers have of each other, without mounts: the processes of these jobs are made up. */
export function createFakeSharing(): Pick<Job, 'namespacePins' | 'sharedMemory'> {
  const shared = new Set<string>();
  return {
    namespacePins: {
      pathOf: ({ ownerId, kind }) => `/fake/ns/${ownerId}-${kind}`,
      pin: () => Promise.resolve('pinned'),
      unpin: () => Promise.resolve(),
      clear: () => Promise.resolve(),
    },
    sharedMemory: {
      pathOf: (containerId) => `/fake/shm/${containerId}`,
      make(containerId) {
        shared.add(containerId);
        return Promise.resolve();
      },
      share(containerId, ownerId) {
        if (!shared.has(ownerId)) return Promise.resolve(false);
        shared.add(containerId);
        return Promise.resolve(true);
      },
      remove(containerId) {
        shared.delete(containerId);
        return Promise.resolve();
      },
    },
  };
}
