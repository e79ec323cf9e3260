import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline, type Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * The connection as node's HTTP/2 can take it. Of a TLS socket it wants HTTP/2 to have been agreed on in the handshake, not in
 * an upgrade, and it takes the native stream below, which HTTP/1 has read from: node 20 dies of that. So such a one is
 * passed on through a pair of plain sockets.
 */
export async function plainConnection(connection: Duplex): Promise<Duplex> {
  if (!(connection instanceof TLSSocket)) return connection;
  const [near, far] = await connectedPair();
  const cut = (error: Error | null | undefined): void => {
    if (!error) return;
    connection.destroy();
    far.destroy();
  };
  pipeline(connection, far, cut);
  pipeline(far, connection, cut);
  return near;
}

/** Two ends of one connection, by a name that is gone when they are made. */
async function connectedPair(): Promise<readonly [Socket, Socket]> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-pair-'));
  const server = createServer({ allowHalfOpen: true });
  try {
    const path = join(directory, 's');
    server.listen(path);
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const near = connect({ path, allowHalfOpen: true });
    const [[far]] = await Promise.all([accepted, once(near, 'connect')]);
    return [near, far];
  } finally {
    server.close();
    await rm(directory, { recursive: true });
  }
}
