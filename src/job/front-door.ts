import { createDockerServer, type DockerApp } from '../api/docker-server.ts';
import { HIJACK_ROUTES } from '../api/hijack-routes.ts';
import type { ListenAddress } from '../config/schema.ts';
import type { Certificates } from '../host/certificates.ts';
import { createDeferred } from '../lib/deferred.ts';
import { closedBy, type EndpointPermissions } from '../policy/endpoint-permissions.ts';
import { listen } from './listen.ts';

/** The job's Docker socket, from before there is a job. */
export interface FrontDoor {
  /** Lets the requests in that have waited, and all that follow. */
  open(app: DockerApp): void;
  /** Takes connections over the network too, by mutual TLS; answers the port. */
  listenRemotely(address: ListenAddress, certificates: Certificates): Promise<number>;
  /** Cuts what waits or is served; the socket file is gone after. */
  close(): Promise<void>;
}

/** Listens on the socket, for every user of the job. Pings are answered at once where they are open; other requests wait. */
export async function openFrontDoor(
  socketPath: string,
  permissions: EndpointPermissions,
): Promise<FrontDoor> {
  const app = createDeferred<DockerApp>();
  const server = createDockerServer({
    app: app.promise,
    answersPings: closedBy({ method: 'GET', path: '/_ping', group: 'ping' }, permissions) === undefined,
    hijackRoutes: HIJACK_ROUTES,
  });
  const listeners = [await listen({ socketPath, app: server, mode: 0o666 })];
  return {
    open: (ready) => {
      app.resolve(ready);
    },
    async listenRemotely(address, certificates) {
      const { openRemoteDoor } = await import('./remote-door.ts');
      const remote = await openRemoteDoor(server, address, certificates);
      listeners.push(remote);
      return remote.port;
    },
    close: async () => {
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}
