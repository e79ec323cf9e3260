import type { FrontParts } from '../buildkit/buildkit-front.ts';
import type { RemotePlace } from '../buildkit/remote-builder.ts';
import type { BuildkitFront, RemoteBuilder } from '../buildkit/types.ts';

/** BuildKit's door, whose code is loaded for the first client that knocks: most jobs have none. */
export function createLazyBuildkit(parts: FrontParts): BuildkitFront {
  let loading: Promise<BuildkitFront> | undefined;
  const load = (): Promise<BuildkitFront> => {
    loading ??= import('../buildkit/buildkit-front.ts').then(({ createBuildkitFront }) =>
      createBuildkitFront(parts),
    );
    return loading;
  };
  return {
    serveControl: async (connection, solver) => (await load()).serveControl(connection, solver),
    keepSession: async (connection, offer) => (await load()).keepSession(connection, offer),
  };
}

/** The buildkitd at a socket of the machine, with code that is loaded for the first build. */
export function createLazyRemoteBuilder(place: RemotePlace): RemoteBuilder {
  return {
    async solve(asked, report) {
      const { createRemoteBuilder } = await import('../buildkit/remote-builder.ts');
      return createRemoteBuilder(place).solve(asked, report);
    },
  };
}
