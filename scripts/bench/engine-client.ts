import { Agent, request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** The answer to one request: status and the body. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A connection that has become a stream, and what came with the answer. */
export interface Hijacked {
  readonly socket: Socket;
  readonly head: Buffer;
}

/** Speaks Docker's API over one kept-alive connection pool, as a client library does. */
export interface EngineClient {
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** As `call`, but anything that is not a success throws. */
  expect<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** As `expect`, with the body as it comes. */
  stream(method: string, path: string): Promise<IncomingMessage>;
  /** A POST that takes the connection over. */
  hijack(path: string, body?: unknown): Promise<Hijacked>;
  close(): void;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Connects to a daemon's unix socket. */
export function connectEngine(socketPath: string): EngineClient {
  const agent = new Agent({ keepAlive: true });
  const ask = (asked: Asked) => send({ agent, socketPath }, asked);
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const incoming = await answerTo(ask({ method, path, body }));
    return { status: incoming.statusCode ?? 0, text: (await buffer(incoming)).toString() };
  };
  return {
    call,
    async expect<T>(method: string, path: string, body?: unknown) {
      const { status, text } = await call(method, path, body);
      if (status >= 300) throw new Error(`${method} ${path}: ${String(status)} ${text}`);
      return (text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text) as T;
    },
    async stream(method, path) {
      const incoming = await answerTo(ask({ method, path }));
      if ((incoming.statusCode ?? 0) < 300) return incoming;
      throw new Error(`${method} ${path}: ${String(incoming.statusCode)}`);
    },
    hijack(path, body) {
      const outgoing = ask({
        method: 'POST',
        path,
        body,
        headers: { connection: 'Upgrade', upgrade: 'tcp' },
      });
      return new Promise((resolve, reject) => {
        outgoing.on('upgrade', (_incoming, socket: Socket, head) => {
          resolve({ socket, head });
        });
        outgoing.on('response', ({ statusCode }) => {
          reject(new Error(`POST ${path}: ${String(statusCode)}`));
        });
        outgoing.on('error', reject);
      });
    },
    close: () => {
      agent.destroy();
    },
  };
}

function send(connection: { readonly agent: Agent; readonly socketPath: string }, asked: Asked) {
  const { method, path, body } = asked;
  const payload = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const headers = {
    ...asked.headers,
    ...(payload === undefined
      ? {}
      : {
          'content-type': Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json',
          'content-length': Buffer.byteLength(payload),
        }),
  };
  const outgoing = request({ ...connection, method, path: `/v1.41${path}`, headers });
  outgoing.end(payload);
  return outgoing;
}

function answerTo(outgoing: ReturnType<typeof request>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
  });
}
