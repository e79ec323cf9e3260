import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { loadMethods } from '../../src/buildkit/definitions.ts';
import type { BytesMessage, BytesMessageInput, SolveRequest } from '../../src/buildkit/generated/control.ts';
import { createDeferred, type Deferred } from '../../src/lib/deferred.ts';
import { connectSession, type SessionCalls } from '../../src/buildkit/session-calls.ts';

/** What a test's builder does for a build: it may ask the one who wants it for files. */
export type RemoteWork = (
  asked: SolveRequest,
  session: SessionCalls,
  headers: Readonly<Record<string, unknown>>,
) => Promise<Readonly<Record<string, string>>>;

/** A BuildKit daemon of a test, at a socket. */
export interface FakeBuildkitd {
  readonly socketPath: string;
  /** A directory for sockets of the one who builds by it. */
  readonly directory: string;
  stop(): Promise<void>;
}

interface OpenedSession {
  readonly calls: SessionCalls;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function pair(directory: string): Promise<readonly [Socket, Socket]> {
  const path = join(directory, `pair-${String(Math.random()).slice(2)}`);
  const server = createServer().listen(path);
  await once(server, 'listening');
  const near = connect(path);
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [near, far];
}

/** Serves the part of BuildKit's control API that berth calls; each build is the work, and one step called `work`. */
export async function startFakeBuildkitd(work: RemoteWork): Promise<FakeBuildkitd> {
  const directory = await mkdtemp('/tmp/fake-buildkitd-');
  const socketPath = join(directory, 'buildkitd.sock');
  const sessions = new Map<string, Promise<OpenedSession>>();
  const offered = new Map<string, Deferred<OpenedSession>>();
  const sessionOf = (id: string): Promise<OpenedSession> => {
    const known = sessions.get(id);
    if (known) return known;
    const wanted = createDeferred<OpenedSession>();
    sessions.set(id, wanted.promise);
    offered.set(id, wanted);
    return wanted.promise;
  };
  const server = new Server();
  const control = await loadMethods('control');
  server.addService(
    { Session: control.Session, Solve: control.Solve, Status: control.Status },
    {
      Session: (call: ServerDuplexStream<BytesMessage, BytesMessageInput>) => {
        const headers = call.metadata.getMap();
        void (async () => {
          const [near, far] = await pair(directory);
          near.on('data', (data: Buffer) => call.write({ data }));
          call.on('data', ({ data }: BytesMessage) => near.write(data));
          call.on('end', () => {
            near.destroy();
            call.end();
          });
          call.on('cancelled', () => near.destroy());
          const id = String(headers['x-docker-expose-session-uuid']);
          void sessionOf(id);
          offered.get(id)?.resolve({ calls: connectSession(far, 'berth'), headers });
        })();
      },
      Solve: (
        call: ServerUnaryCall<SolveRequest, unknown>,
        done: (error: object | null, answer?: object) => void,
      ) => {
        sessionOf(call.request.Session)
          .then(({ calls, headers }) => work(call.request, calls, headers))
          .then(
            (ExporterResponse) => {
              done(null, { ExporterResponse });
            },
            (error: unknown) => {
              done({ code: 2, details: (error as Error).message });
            },
          );
      },
      Status: (call: ServerWritableStream<unknown, object>) => {
        const vertex = { digest: 'sha256:1', name: 'work', started: { seconds: 5, nanos: 0 } };
        call.write({ vertexes: [vertex] });
        call.write({ logs: [{ vertex: 'sha256:1', stream: 1, msg: Buffer.from('said\n') }] });
        call.write({ warnings: [{ vertex: 'sha256:1', short: Buffer.from('careful') }] });
        call.end();
      },
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socketPath}`, ServerCredentials.createInsecure(), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  return {
    socketPath,
    directory,
    async stop() {
      server.forceShutdown();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
