import { EngineError } from '../../src/errors.ts';
import type { BindAccess } from '../../src/rootfs/types-binds.ts';
import type { JobContainer, JobContainerStore } from '../../src/state/job-container-store.ts';

/** A job's view in which nothing is there but its Docker socket. */
export function createFakeBinds(): BindAccess {
  return {
    socketPath: '/staged/docker.sock',
    pin: async ({ path }) => {
      throw new EngineError('NotFound', `bind source path does not exist: ${path}`);
    },
    stage: async (_source, { containerId, index }) => `/staged/${containerId}/${index}`,
    pinWithin: async () => ({ fd: -1, namespaceFd: undefined, kind: 'directory', close: () => undefined }),
    placeOf: ({ containerId, index }) => `/staged/${containerId}/${index}`,
    clearPlace: async () => {},
    stageImage: async (_view, { containerId, index }) => `/staged/${containerId}/${index}`,
    stageSocket: async () => {},
    unstage: async () => {},
    listStaged: async () => [],
    requireStaged: async () => {},
  };
}

/** A store without a file. */
export function createFakeJobContainerStore(): JobContainerStore {
  let current: JobContainer | undefined;
  return {
    get: () => current,
    set: async (container) => {
      current = container;
    },
  };
}
