import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { ListenAddress } from '../config/schema.ts';
import { EngineError, messageOf } from '../errors.ts';
import type { Certificates } from '../host/certificates.ts';
import type { Listener } from './listen.ts';

/** The Docker API over the network: for nobody without a certificate of the job. */
export interface RemoteDoor extends Listener {
  /** The port that was asked for, or the one that the kernel chose. */
  readonly port: number;
}

const CLOSE_GRACE_MS = 1_000;
const HANDSHAKE_TIMEOUT_MS = 20_000;

/** Takes connections by mutual TLS and hands them to a server of the Docker API, as if it had taken them itself. */
export async function openRemoteDoor(
  api: Server,
  { host, port }: ListenAddress,
  certificates: Certificates,
): Promise<RemoteDoor> {
  const { ca, cert, key } = certificates;
  const connections = new Set<Socket>();
  const server = createServer({
    ca,
    cert,
    key,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    // A client ends its half of a stream and goes on reading, here as on the socket.
    allowHalfOpen: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  // Half open as the others are, it would wait for an end that a refused client need not send.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', (socket) => {
    api.emit('connection', socket);
  });
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new EngineError('InvalidArgument', `cannot listen: ${messageOf(error)}`, { cause: error });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      const timer = setTimeout(() => {
        for (const socket of connections) socket.destroy();
      }, CLOSE_GRACE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}
