import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createRandomId } from '../lib/random-id.ts';

const NAME_LENGTH = 8;

/**
 * Two ends of one connection, which meet at a socket in a directory that is ours alone; its name is gone when they have
 * met. Neither stays open where the other has ended: HTTP/2, which is spoken on them, would not see that its peer is gone.
 */
export async function connectedPair(directory: string): Promise<readonly [Socket, Socket]> {
  const path = join(directory, `s-${createRandomId().slice(0, NAME_LENGTH)}`);
  const server = createServer().listen(path);
  try {
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const near = connect(path);
    const [[far]] = await Promise.all([accepted, once(near, 'connect')]);
    return [near, far];
  } finally {
    server.close();
    await rm(path, { force: true });
  }
}
