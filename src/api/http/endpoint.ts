import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Job } from '../../engine/job.ts';
import { requireEndpoint } from '../../engine/system/require-endpoint.ts';
import { requireParameters } from '../../engine/system/require-parameters.ts';
import { EngineError, ShapeError } from '../../errors.ts';
import { isAtLeast, resolveApiVersion } from './api-version.ts';
import { createByteWriter } from './byte-writer.ts';
import { EdgeError, logError } from './error-response.ts';
import { hijackSocket, takeOverSocket, type HijackAnswer } from './hijack.ts';
import { createQuery } from './query.ts';
import { readBody, readJsonBody } from './request-body.ts';
import { splitTarget } from './request-target.ts';
import type { AnswerHeaders, Route, RouteContext } from './route.ts';

/** One request as it came, with its socket where Node's parser has let go of that. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Readonly<Record<string, string>>;
  /** Set where the route may hijack: the body, if any, is still unread on it. */
  readonly rawSocket: Socket | undefined;
}

const HIJACK_HEADERS = ['Api-Version', 'Docker-Experimental', 'Ostype', 'Server'];

function send(
  response: ServerResponse,
  status: number,
  body: { readonly type: string; readonly bytes: Buffer },
): void {
  response.statusCode = status;
  response.setHeader('Content-Type', body.type);
  response.setHeader('Content-Length', body.bytes.length);
  response.end(body.bytes);
}

function setHeaders(response: ServerResponse, headers: AnswerHeaders | undefined): void {
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
}

function answers({ response }: Exchange): Pick<RouteContext, 'json' | 'empty' | 'text' | 'openStream'> {
  return {
    json(status, value, headers) {
      setHeaders(response, headers);
      send(response, status, { type: 'application/json', bytes: Buffer.from(`${JSON.stringify(value)}\n`) });
    },
    empty(status, headers) {
      setHeaders(response, headers);
      response.statusCode = status;
      if (status !== 204 && status !== 304 && !response.hasHeader('Content-Length'))
        response.setHeader('Content-Length', 0);
      response.end();
    },
    text(status, value, headers) {
      setHeaders(response, headers);
      send(response, status, { type: 'text/plain; charset=utf-8', bytes: Buffer.from(value) });
    },
    openStream(contentType, headers, sent = 'at once') {
      setHeaders(response, headers);
      response.statusCode = 200;
      response.setHeader('Content-Type', contentType);
      if (sent === 'at once') response.flushHeaders();
      return createByteWriter(response);
    },
  };
}

function asksForUpgrade({ headers }: IncomingMessage): boolean {
  const tokens = (headers.connection ?? '').toLowerCase().split(',');
  return headers.upgrade !== undefined && tokens.some((token) => token.trim() === 'upgrade');
}

function takers(
  { request, response, rawSocket }: Exchange,
  abort: () => void,
): Pick<RouteContext, 'hijack' | 'takeOver' | 'acceptWebSocket'> {
  const detach = (socket: Socket): void => {
    response.detachSocket(socket);
    if (socket.destroyed) abort();
    else socket.once('close', abort);
  };
  const requireSocket = (): Socket => {
    if (!rawSocket) throw new EngineError('Internal', 'this connection cannot be taken over');
    return rawSocket;
  };
  const take = (contentType: string): { readonly socket: Socket; readonly answer: HijackAnswer } => {
    const socket = requireSocket();
    const inherited = HIJACK_HEADERS.map((name) => [name, String(response.getHeader(name) ?? '')] as const);
    detach(socket);
    const headers = { ...Object.fromEntries(inherited), 'Content-Type': contentType };
    return { socket, answer: { isUpgrade: asksForUpgrade(request), headers } };
  };
  return {
    hijack(contentType) {
      const { socket, answer } = take(contentType);
      return hijackSocket(socket, answer);
    },
    takeOver(contentType) {
      const { socket, answer } = take(contentType);
      return takeOverSocket(socket, answer);
    },
    async acceptWebSocket(type) {
      const socket = requireSocket();
      // Loaded when first needed: few clients of a job ever attach this way.
      const { acceptWebSocket } = await import('./web-socket.ts');
      const connection = await acceptWebSocket(request, socket, type);
      detach(socket);
      return connection;
    },
  };
}

async function readRawBody(
  route: Route,
  { request, response }: Exchange,
  raw: { readonly stream: Socket; readonly maxBytes: number },
): Promise<Uint8Array> {
  const { headers } = request;
  const encoding = headers['transfer-encoding'];
  const contentLength = Number(headers['content-length'] ?? 0);
  if (route.body !== 'json') {
    if (encoding === 'chunked') dropEmptyBody(raw.stream);
    // dockerode sends its options as the body of an attach: no input for the process, and dockerd drops it too.
    await readBody({ ...raw, headers, length: contentLength });
    return Buffer.alloc(0);
  }
  if (encoding !== undefined && encoding !== 'chunked')
    throw new ShapeError(`unsupported transfer encoding: ${encoding.slice(0, 100)}`);
  // Node answers this by itself only where it reads the body.
  if (headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  return readJsonBody({ ...raw, headers, length: encoding === undefined ? contentLength : 'chunked' });
}

/** Of a chunked request without a body the end of that is no input; as with dockerd, all else is. */
function dropEmptyBody(stream: Socket): void {
  const emptyBody = '0\r\n\r\n';
  const first = stream.read(emptyBody.length) as Buffer | null;
  if (first !== null && first.toString('latin1') !== emptyBody) stream.unshift(first);
}

async function bodyOf(route: Route, exchange: Exchange, job: Job): Promise<Uint8Array> {
  const { request, rawSocket } = exchange;
  const { bodyBytes: maxBytes } = job.settings.limits;
  if (rawSocket) return readRawBody(route, exchange, { stream: rawSocket, maxBytes });
  if (route.body !== 'json') return Buffer.alloc(0);
  return readJsonBody({ stream: request, headers: request.headers, length: undefined, maxBytes });
}

async function createContext(route: Route, exchange: Exchange, job: Job): Promise<RouteContext<string>> {
  const { request, response, params } = exchange;
  const apiVersion = resolveApiVersion(params['apiVersion']);
  if (route.minApiVersion !== undefined && !isAtLeast(apiVersion, route.minApiVersion))
    throw new EdgeError(404, 'page not found');
  requireEndpoint(job, route);
  const query = createQuery(splitTarget(request.url ?? '').search);
  if (route.parameters !== undefined) requireParameters(job, route.parameters, query.list);
  const aborter = new AbortController();
  const abort = (): void => {
    aborter.abort();
  };
  // As Go's server: a client that sends no more has left as far as waiting goes, and can still read an answer.
  const { socket } = request;
  if (!exchange.rawSocket) socket.once('end', abort);
  response.once('close', () => {
    socket.off('end', abort);
    if (!response.writableFinished) abort();
  });
  return {
    ...answers(exchange),
    ...takers(exchange, abort),
    job,
    params,
    apiVersion,
    query,
    headers: request.headers,
    signal: aborter.signal,
    stream: request,
    body: await bodyOf(route, exchange, job),
    param(name) {
      const value = params[name];
      if (value === undefined) throw new EngineError('Internal', `the route has no parameter ${name}`);
      return value;
    },
  };
}

/** Runs a route's handler. What fails before the first byte is thrown; later, the connection is cut so that the client sees it. */
export async function runRoute(route: Route, exchange: Exchange, job: Job): Promise<void> {
  const { response, rawSocket } = exchange;
  const context = await createContext(route, exchange, job);
  try {
    const handling = route.handle(context);
    // The end of the job waits for what was begun, also where the client has left.
    job.tasks.track(
      'request',
      handling.catch(() => undefined),
    );
    await handling;
    // A handler that gave up on a client that left: nobody else would end the connection's other half.
    if (!rawSocket && context.signal.aborted && !response.writableEnded) response.destroy();
  } catch (error) {
    const isHijacked = rawSocket !== undefined && response.socket === null;
    if (!response.headersSent && !isHijacked && !response.destroyed) throw error;
    logError(error, { job, what: `${route.method} ${route.path}`, isLeft: context.signal.aborted });
    (isHijacked ? rawSocket : response).destroy();
  }
}
