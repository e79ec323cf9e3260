import { once } from 'node:events';
import { lstat, rm } from 'node:fs/promises';
import { createServer, Server, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { EngineError } from '../errors.ts';

/** Where a server is reached. */
export interface ListenOptions {
  readonly socketPath: string;
  /** A server that does not listen yet, or what answers the requests of a plain one. */
  readonly app: Server | RequestListener;
  /** Permission bits of the socket file: 0666 for one that a job's users may all use. */
  readonly mode: number;
}

/** A server that listens. */
export interface Listener {
  /** Takes no more, ends idle connections, gives the others a moment, then cuts them; the socket file is gone after. */
  close(): Promise<void>;
}

// sockaddr_un has 108 bytes with the final NUL; Node would cut a longer path without a word.
const MAX_PATH_BYTES = 107;
const CLOSE_GRACE_MS = 1_000;

function checkLength(socketPath: string): void {
  const bytes = Buffer.byteLength(socketPath);
  if (bytes > MAX_PATH_BYTES)
    throw new EngineError(
      'InvalidArgument',
      `unix socket path "${socketPath}" is ${bytes} bytes long; the limit is ${MAX_PATH_BYTES}`,
    );
}

async function isAnswered(socketPath: string): Promise<boolean> {
  const probe = connect(socketPath);
  try {
    await once(probe, 'connect');
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return false;
    throw error;
  } finally {
    probe.destroy();
  }
}

/** Removes the socket file that a killed process left, and nothing else: Conflict for one that is answered, or no socket. */
export async function removeStaleSocket(socketPath: string): Promise<void> {
  const found = await lstat(socketPath).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return;
  if (!found.isSocket())
    throw new EngineError('Conflict', `"${socketPath}" exists and is not a socket: it is left alone`);
  if (await isAnswered(socketPath))
    throw new EngineError('Conflict', `another process answers on unix socket "${socketPath}"`);
  await rm(socketPath, { force: true });
}

async function closeServer(server: Server, connections: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    // Taken-over connections are not the server's any more, so closeAllConnections would miss them.
    for (const socket of connections) socket.destroy();
  }, CLOSE_GRACE_MS);
  await closed;
  clearTimeout(timer);
}

/** Lets the server listen on a unix socket; a stale socket file is replaced, a live one or anything else is a Conflict. */
export async function listen({ socketPath, app, mode }: ListenOptions): Promise<Listener> {
  checkLength(socketPath);
  await removeStaleSocket(socketPath);
  const server = app instanceof Server ? app : createServer(app);
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  // It is born with its mode: who may write to its directory could have put a link there before a change of the mode.
  const umask = process.umask(~mode & 0o777);
  try {
    server.listen(socketPath);
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
  let closing: Promise<void> | undefined;
  return {
    close() {
      closing ??= closeServer(server, connections);
      return closing;
    },
  };
}
