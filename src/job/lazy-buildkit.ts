import type { BuildkitFront } from '../buildkit/types.ts';

/** BuildKit's door, whose code is loaded for the first client that knocks: most jobs have none. */
export function createLazyBuildkit(reportFailure: (error: unknown) => void): BuildkitFront {
  let loading: Promise<BuildkitFront> | undefined;
  const load = (): Promise<BuildkitFront> => {
    loading ??= import('../buildkit/buildkit-front.ts').then(({ createBuildkitFront }) =>
      createBuildkitFront(reportFailure),
    );
    return loading;
  };
  return {
    serveControl: async (connection, solver) => (await load()).serveControl(connection, solver),
    keepSession: async (connection, offer) => (await load()).keepSession(connection, offer),
  };
}
