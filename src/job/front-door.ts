import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createDockerServer, type DockerApp } from '../api/docker-server.ts';
import { HIJACK_ROUTES } from '../api/hijack-routes.ts';
import type { ListenAddress } from '../config/schema.ts';
import type { Certificates } from '../host/certificates.ts';
import { createDeferred } from '../lib/deferred.ts';
import { closedBy, type EndpointPermissions } from '../policy/endpoint-permissions.ts';
import { keepSocket, type SocketEvent } from './keep-socket.ts';
import { listen } from './listen.ts';

/** What a door is made with. */
export interface FrontDoorOptions {
  readonly socketPath: string;
  readonly permissions: EndpointPermissions;
  /** Told when the socket's file is not what it was. */
  readonly tell: (event: SocketEvent) => void;
}

const SOCKET_MODE = 0o666;
/** Where the kernel does not say. */
const DEFAULT_DESCRIPTORS = 1024;

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
export async function openFrontDoor({ socketPath, permissions, tell }: FrontDoorOptions): Promise<FrontDoor> {
  const app = createDeferred<DockerApp>();
  const answersPings = closedBy({ method: 'GET', path: '/_ping', group: 'ping' }, permissions) === undefined;
  const createServer = (): Server => {
    const server = createDockerServer({ app: app.promise, answersPings, hijackRoutes: HIJACK_ROUTES });
    // The rest is for the work that these ask for; the runner has a socket of its own.
    server.maxConnections = Math.floor(mostDescriptors() / 2);
    return server;
  };
  const server = createServer();
  const listeners = [await listen({ socketPath, app: server, mode: SOCKET_MODE })];
  const keeper = keepSocket({
    socketPath,
    listenAgain: () => listen({ socketPath, app: createServer(), mode: SOCKET_MODE }),
    tell,
  });
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
      await keeper.stop();
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}

/** How many descriptors this process may have: Node has raised its limit to the highest it may have. */
function mostDescriptors(): number {
  const [, soft = ''] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return soft === '' ? DEFAULT_DESCRIPTORS : Number(soft);
}
