import type { MethodDefinition } from '@grpc/grpc-js';
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { EngineError, type ErrorKind } from '../errors.ts';
import { frameMessage, readMessages } from './grpc-frames.ts';

/** Metadata of a call; several values of a name are several headers. */
export type CallMetadata = Readonly<Record<string, string | readonly string[]>>;

/** A call that streams both ways. */
export interface StreamingCall<Request, Response> {
  send(message: Request): void;
  /** As send; resolves when there is room for more. Cancelled once the other side has gone. */
  sendPaced(message: Request): Promise<void>;
  /** What the other side sends; throws its error at the end. */
  readonly messages: AsyncGenerator<Response, void>;
  /** Ends our half. */
  end(): void;
  cancel(): void;
}

/** Calls to the gRPC server at the other end of a connection that the client has opened. */
export interface SessionCalls {
  unary<Request, Response>(method: MethodDefinition<Request, Response>, request: Request): Promise<Response>;
  open<Request, Response>(
    method: MethodDefinition<Request, Response>,
    metadata: CallMetadata,
  ): StreamingCall<Request, Response>;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
  close(): void;
}

const KIND_OF_STATUS: ReadonlyMap<string, ErrorKind> = new Map([
  ['1', 'Cancelled'],
  ['3', 'InvalidArgument'],
  ['5', 'NotFound'],
  ['7', 'PermissionDenied'],
  ['12', 'NotImplemented'],
  ['14', 'Unavailable'],
  ['16', 'Unauthenticated'],
]);

function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function createCall<Request, Response>(
  stream: ClientHttp2Stream,
  method: MethodDefinition<Request, Response>,
  peer: string,
): StreamingCall<Request, Response> {
  let status: string | undefined;
  let message = '';
  const gone = (cause?: unknown): EngineError =>
    new EngineError('Cancelled', `the ${peer} has gone`, { cause });
  const note = (headers: Readonly<Record<string, unknown>>): void => {
    const value = headers['grpc-status'];
    if (typeof value !== 'string') return;
    status = value;
    const text = headers['grpc-message'];
    message = typeof text === 'string' ? decodeMessage(text) : '';
  };
  stream.on('response', note);
  stream.on('trailers', note);
  // Told by the iteration; without a listener a reset between two reads would end the process.
  stream.on('error', () => undefined);
  const messages = async function* (): AsyncGenerator<Response, void> {
    try {
      for await (const bytes of readMessages(stream as AsyncIterable<Uint8Array>))
        yield method.responseDeserialize(bytes);
    } catch (error) {
      if (error instanceof EngineError) throw error;
      throw gone(error);
    }
    if (status === '0') return;
    if (status === undefined) throw gone();
    throw new EngineError(KIND_OF_STATUS.get(status) ?? 'Internal', `${peer}: ${message}`);
  };
  return {
    send(request) {
      if (!stream.destroyed && !stream.writableEnded)
        stream.write(frameMessage(method.requestSerialize(request)));
    },
    async sendPaced(request) {
      if (stream.destroyed || stream.writableEnded) throw gone();
      if (stream.write(frameMessage(method.requestSerialize(request)))) return;
      await new Promise<void>((resolve) => {
        const go = (): void => {
          stream.off('drain', go).off('close', go);
          resolve();
        };
        stream.on('drain', go).on('close', go);
      });
    },
    messages: messages(),
    end: () => {
      if (!stream.destroyed) stream.end();
    },
    cancel: () => {
      stream.close(constants.NGHTTP2_CANCEL);
    },
  };
}

/**
 * Speaks HTTP/2 as the client on a connection, which for a session is one that was accepted: there, the one who connected
 * serves. Errors of the other side are told under the name of the peer.
 */
export function connectSession(connection: Duplex, peer = 'build client'): SessionCalls {
  const session: ClientHttp2Session = connect('http://session', { createConnection: () => connection });
  const closed = new Promise<void>((resolve) => {
    session.once('close', resolve);
  });
  session.on('error', () => {
    session.destroy();
  });
  connection.once('close', () => {
    session.destroy();
  });
  const open: SessionCalls['open'] = (method, metadata) => {
    if (session.destroyed) throw new EngineError('Cancelled', `the ${peer} has gone`);
    const headers = Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
    );
    const stream = session.request({
      ...headers,
      ':method': 'POST',
      ':path': method.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    return createCall(stream, method, peer);
  };
  return {
    open,
    async unary(method, request) {
      const call = open(method, {});
      call.send(request);
      call.end();
      try {
        for await (const answer of call.messages) return answer;
        throw new EngineError('Internal', `${peer}: no answer to ${method.path}`);
      } finally {
        call.cancel();
      }
    },
    closed,
    close: () => {
      session.destroy();
    },
  };
}
