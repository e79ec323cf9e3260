import { createDockerServer, type DockerApp } from '../api/docker-server.ts';
import { HIJACK_ROUTES } from '../api/hijack-routes.ts';
import { createDeferred } from '../lib/deferred.ts';
import { listen } from './listen.ts';

/** The job's Docker socket, from before there is a job. */
export interface FrontDoor {
  /** Lets the requests in that have waited, and all that follow. */
  open(app: DockerApp): void;
  /** Cuts what waits or is served; the socket file is gone after. */
  close(): Promise<void>;
}

/** Listens on the socket, for every user of the job. Pings are answered at once, other requests wait. */
export async function openFrontDoor(socketPath: string): Promise<FrontDoor> {
  const app = createDeferred<DockerApp>();
  const server = createDockerServer({ app: app.promise, answersPings: true, hijackRoutes: HIJACK_ROUTES });
  const listener = await listen({ socketPath, app: server, mode: 0o666 });
  return {
    open: (ready) => {
      app.resolve(ready);
    },
    close: () => listener.close(),
  };
}
