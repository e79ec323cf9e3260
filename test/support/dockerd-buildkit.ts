import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { upgrade } from './buildkit-door.ts';

/** The BuildKit that dockerd has inside, as a daemon at a socket. */
export interface DockerdBuildkit {
  stop(): Promise<void>;
}

/** Serves, at `path`, what a dockerd serves behind `POST /grpc`. */
export async function serveDockerdBuildkit(dockerdSocket: string, path: string): Promise<DockerdBuildkit> {
  const open = new Set<Duplex>();
  const server = createServer((socket: Socket) => {
    // Nothing that comes before the other side is there may be lost.
    socket.pause();
    upgrade(dockerdSocket, '/grpc').then(
      (grpc) => {
        for (const [one, other] of [
          [socket, grpc],
          [grpc, socket],
        ] as const) {
          open.add(one);
          one.on('error', () => other.destroy());
          one.on('close', () => {
            open.delete(one);
            other.destroy();
          });
          one.pipe(other);
        }
      },
      () => socket.destroy(),
    );
  }).listen(path);
  await once(server, 'listening');
  return {
    async stop() {
      for (const one of open) one.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
