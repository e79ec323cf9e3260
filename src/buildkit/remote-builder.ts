import type { MethodDefinition } from '@grpc/grpc-js';
import { connect, type Socket } from 'node:net';
import { EngineError } from '../errors.ts';
import { createRandomId } from '../lib/random-id.ts';
import { loadMethods } from './definitions.ts';
import type { GoogleTimestamp, StatusResponse, Vertex } from './generated/control.ts';
import { offerFor, requireTaker } from './remote-session.ts';
import { connectSession, type SessionCalls } from './session-calls.ts';
import { openTunnel } from './tunnel.ts';
import type { RemoteBuilder, RemoteSolve, ReportSolve, SolveStep } from './types.ts';

const NS_PER_MS = 1e6;
const STDERR = 2;

/** Where a BuildKit daemon serves. */
export interface RemotePlace {
  readonly socketPath: string;
  /** A directory of our own, for sockets. */
  readonly directory: string;
}

/** The BuildKit daemon that serves at a socket of the machine. */
export function createRemoteBuilder({ socketPath, directory }: RemotePlace): RemoteBuilder {
  return {
    async solve(asked, report) {
      requireTaker(asked);
      const socket = await dial(socketPath, asked.signal);
      const calls = connectSession(socket, 'buildkitd');
      const leave = (): void => {
        calls.close();
        socket.destroy();
      };
      asked.signal.addEventListener('abort', leave);
      try {
        if (asked.signal.aborted) throw new EngineError('Cancelled', 'Build cancelled');
        return await carryOut({ calls, directory }, asked, report);
      } finally {
        asked.signal.removeEventListener('abort', leave);
        leave();
      }
    },
  };
}

function dial(path: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, signal });
    socket.once('connect', () => {
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', (cause) => {
      reject(
        new EngineError('Unavailable', 'the buildkitd that this daemon builds with does not answer', {
          cause,
        }),
      );
    });
  });
}

async function carryOut(
  { calls, directory }: { readonly calls: SessionCalls; readonly directory: string },
  asked: RemoteSolve,
  report: ReportSolve,
): Promise<Readonly<Record<string, string>>> {
  const { Session, Solve, Status } = await loadMethods('control');
  const [ref, session] = [createRandomId(), createRandomId()];
  const offer = await offerFor(asked);
  const tunnel = await openTunnel(
    calls.open(Session, {
      'x-docker-expose-session-uuid': session,
      'x-docker-expose-session-name': 'berth',
      // A builder keeps files by this key, and takes those it has for new ones of the same age and length.
      'x-docker-expose-session-sharedkey': session,
      'x-docker-expose-session-grpc-method': offer.methods,
    }),
    directory,
  );
  const end = offer.serve(tunnel);
  try {
    const following = follow(calls, { method: Status, ref }, report);
    const { exporter, exporterOptions, options } = asked;
    const [answer, followed] = await Promise.allSettled([
      calls.unary(Solve, {
        ...{ Ref: ref, Session: session, Frontend: 'dockerfile.v0', FrontendAttrs: options },
        ...{ Exporter: exporter, ExporterAttrs: exporterOptions },
      }),
      following,
    ]);
    if (answer.status === 'rejected') throw answer.reason;
    if (followed.status === 'rejected') throw followed.reason;
    return answer.value.ExporterResponse;
  } finally {
    end();
  }
}

/** Tells what the builder tells, until the build has ended. */
async function follow(
  calls: SessionCalls,
  {
    method,
    ref,
  }: { readonly method: MethodDefinition<{ readonly Ref?: string }, StatusResponse>; readonly ref: string },
  report: ReportSolve,
): Promise<void> {
  const call = calls.open(method, {});
  call.send({ Ref: ref });
  call.end();
  for await (const { vertexes, logs, warnings } of call.messages) {
    for (const vertex of vertexes) await report({ kind: 'step', step: stepOf(vertex) });
    for (const { vertex: digest, stream, msg: bytes } of logs)
      await report({ kind: 'log', digest, isError: stream === STDERR, bytes });
    for (const { vertex: digest, short } of warnings)
      await report({
        kind: 'log',
        digest,
        isError: true,
        bytes: Buffer.concat([Buffer.from('WARNING: '), short, Buffer.from('\n')]),
      });
  }
}

function stepOf({ digest, name, inputs, cached, started, completed, error }: Vertex): SolveStep {
  return {
    ...{ digest, name, inputs, isCached: cached, error },
    startedAt: msOf(started),
    completedAt: msOf(completed),
  };
}

function msOf(time: GoogleTimestamp | null): number | undefined {
  return time ? time.seconds * 1000 + time.nanos / NS_PER_MS : undefined;
}
