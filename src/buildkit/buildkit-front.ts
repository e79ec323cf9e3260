import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Duplex } from 'node:stream';
import { EngineError } from '../errors.ts';
import { createDeferred, type Deferred } from '../lib/deferred.ts';
import { openSession, type OpenSession } from './build-session.ts';
import { controlService, gatewayService, type ServiceParts } from './control-service.ts';
import { loadMethods } from './definitions.ts';
import { plainConnection } from './plain-connection.ts';
import { createSolves } from './solves.ts';
import type { BuildkitFront } from './types.ts';

/** How long a build waits for the session that its client opens beside it. */
const SESSION_WAIT_MS = 10_000;
const MAX_SESSIONS = 64;
/** Connections of clients that build, and calls on each; buildx has a handful. */
const MAX_CONNECTIONS = 64;
const MAX_CALLS = 100;
/** BuildKit's own limit. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

async function createServer(parts: ServiceParts): Promise<Server> {
  const [control, gateway] = await Promise.all([loadMethods('control'), loadMethods('gateway')]);
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': MAX_CALLS,
  });
  server.addService({ ...control }, controlService(parts));
  server.addService({ ...gateway }, gatewayService(parts));
  return server;
}

interface Sessions {
  keep(session: OpenSession): void;
  await(id: string): Promise<OpenSession>;
}

function createSessions(): Sessions {
  const open = new Map<string, OpenSession>();
  const awaited = new Map<string, Set<Deferred<OpenSession>>>();
  return {
    keep(session) {
      if (open.size >= MAX_SESSIONS) throw new EngineError('Unavailable', 'too many build sessions at once');
      if (open.has(session.id)) throw new EngineError('Conflict', `session ${session.id} is already open`);
      open.set(session.id, session);
      void session.closed.then(() => open.delete(session.id));
      for (const waiting of awaited.get(session.id) ?? []) waiting.resolve(session);
      awaited.delete(session.id);
    },
    async await(id) {
      const known = open.get(id);
      if (known) return known;
      const waiting = createDeferred<OpenSession>();
      const others = awaited.get(id) ?? new Set();
      awaited.set(id, others.add(waiting));
      const timer = setTimeout(() => {
        others.delete(waiting);
        if (others.size === 0 && awaited.get(id) === others) awaited.delete(id);
        waiting.reject(new EngineError('NotFound', `no active session for ${id}: context deadline exceeded`));
      }, SESSION_WAIT_MS);
      try {
        return await waiting.promise;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** What BuildKit's door needs of its job. */
export interface FrontParts {
  /** A directory of our own, for sockets. */
  readonly directory: string;
  readonly reportFailure: (error: unknown) => void;
}

/** BuildKit's door of a job. */
export function createBuildkitFront({ directory, reportFailure }: FrontParts): BuildkitFront {
  const sessions = createSessions();
  const solves = createSolves();
  let connections = 0;
  return {
    async serveControl(taken, solver) {
      if (connections >= MAX_CONNECTIONS)
        throw new EngineError('Unavailable', 'too many connections of build clients');
      connections += 1;
      try {
        const connection = await plainConnection(taken, directory);
        const closed = new Promise<void>((resolve) => connection.once('close', resolve));
        const server = await createServer({
          solver,
          solves,
          awaitSession: (id) => sessions.await(id),
          reportFailure,
        });
        const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
        injector.injectConnection(connection);
        await closed;
        injector.destroy();
        server.forceShutdown();
      } finally {
        connections -= 1;
      }
    },
    async keepSession(connection: Duplex, offer) {
      const session = await openSession(await plainConnection(connection, directory), offer);
      try {
        sessions.keep(session);
        await session.closed;
      } finally {
        session.close();
      }
    },
  };
}
