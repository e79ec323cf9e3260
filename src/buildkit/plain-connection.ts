import { pipeline, type Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { connectedPair } from './connected-pair.ts';

/**
 * The connection as node's HTTP/2 can take it. Of a TLS socket it wants HTTP/2 to have been agreed on in the handshake, not in
 * an upgrade, and it takes the native stream below, which HTTP/1 has read from: node 20 dies of that. So such a one is
 * passed on through a pair of plain sockets, which meet in `directory`.
 */
export async function plainConnection(connection: Duplex, directory: string): Promise<Duplex> {
  if (!(connection instanceof TLSSocket)) return connection;
  const [near, far] = await connectedPair(directory);
  const cut = (error: Error | null | undefined): void => {
    if (!error) return;
    connection.destroy();
    far.destroy();
  };
  pipeline(connection, far, cut);
  pipeline(far, connection, cut);
  return near;
}
